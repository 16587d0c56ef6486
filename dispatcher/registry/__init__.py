"""Who lives where, what measures, whom to call: the operator's own tables."""
