"""Who should have been told by now, worked out anew from the audit log, and held against what the far sides reported."""
