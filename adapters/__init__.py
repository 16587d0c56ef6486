"""The only code that talks to the world; found by entry points, imported by nobody."""
