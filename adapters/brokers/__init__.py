"""Message brokers that run inside the engine's process."""
