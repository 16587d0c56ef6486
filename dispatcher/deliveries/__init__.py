"""The outbox: the life of a delivery, and the sender."""
