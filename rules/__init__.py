"""What a rule says: pure, deterministic, without I/O, without a clock, without asyncio."""

from rules.variant import prefer_compiled

COMPILED = prefer_compiled(__path__)
"""Whether the compiled variant of the hot loops runs."""
