from tests.dispatch.conftest import _no_waiting, engine, place, places

__all__ = ["_no_waiting", "engine", "place", "places"]
