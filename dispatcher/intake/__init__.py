"""From bytes to journal rows: decoding, the pipeline that decides, recovery."""

from rules.variant import prefer_compiled

COMPILED = prefer_compiled(__path__)
"""Whether the compiled variant of the hot loop runs."""
