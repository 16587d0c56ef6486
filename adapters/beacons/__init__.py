"""Where heartbeats go."""
