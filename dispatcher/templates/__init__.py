"""The texts people read and hear, per hazard, grade, channel and language."""
