"""Values as whole numbers, and the ends of time."""

SCALE = 10_000
"""A value of 1 in its unit is kept as this number: sums stay exact for months, where floats change grades."""
NEVER_S = -(1 << 62)
FOREVER = 1 << 62
ALWAYS = -(1 << 62)
