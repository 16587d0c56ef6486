"""Who is on duty when: shifts, rotations, overrides and stand-ins, and the gaps between them."""
