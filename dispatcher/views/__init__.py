"""What people look at: the board of the duty room, the time line of a warning. Read from the store in sets, never row by row."""
