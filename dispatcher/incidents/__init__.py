"""Reporting upward (信息报送): incidents, what is reported of them to whom by when, and what leaders write back."""
