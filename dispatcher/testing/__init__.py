"""Contract suites and fakes that ship with the engine, for whoever writes an adapter."""
