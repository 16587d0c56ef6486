"""Work with rules as with code: tests, checks, skill, differences and reasons."""
