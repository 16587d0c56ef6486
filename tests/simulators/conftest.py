"""Fixtures of a running town."""

from tests.simulators.chats import start_robots
from tests.simulators.towns import broker, hooks, start_town

__all__ = ["broker", "hooks", "start_robots", "start_town"]
