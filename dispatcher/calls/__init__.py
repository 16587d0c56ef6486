"""Call plans: who is called when, and the next step for those who have not answered."""
