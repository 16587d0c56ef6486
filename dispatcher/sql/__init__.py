"""Named queries and migrations."""
