"""What the engine tells about itself: metrics, health, logs, the audit log."""
