"""What other programs are told of what was committed."""
