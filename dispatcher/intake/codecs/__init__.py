"""Other formats than our own: each codec is a total function from bytes to readings and rejects."""
