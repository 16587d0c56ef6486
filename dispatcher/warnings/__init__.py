"""From grade changes to alerts and notices."""
