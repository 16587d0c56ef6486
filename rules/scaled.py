"""Values as whole numbers, and the ends of time."""

SCALE = 10_000
"""A value of 1 in its unit is kept as this number: sums stay exact for months, where floats change grades."""
NEVER_S = -(1 << 62)
FOREVER = 1 << 62
ALWAYS = -(1 << 62)
WHOLE = 1.5 * 2**52
"""Adding and taking away this number leaves the nearest whole one, of two equally near the even one, as ``round`` does; without a call.
Below 2^51, that is for every value within ±1e9, scaled."""
