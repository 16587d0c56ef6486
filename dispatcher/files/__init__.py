"""The files an operator writes, read with places for every mistake."""
