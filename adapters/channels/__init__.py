"""Adapters of the channel port."""
