"""The world outside the engine, for demonstrations and tests: a phone network, speakers, villagers, and their ledger."""
