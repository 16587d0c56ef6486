"""Drills (演练): the whole chain run as an exercise, confined to listed participants, and scored."""
