"""What a rule says: pure, deterministic, without I/O, without a clock, without asyncio."""
