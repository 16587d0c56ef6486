"""Call plans: who is told when, by which channel, and who is next when nobody answers."""
