"""A wall clock that is stepped: our time never goes back, and never stands still."""

import time
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatcher import clock
from dispatcher.clock import ReplayClock, SystemClock


class Machine:
    """A machine whose wall and steady clock a test moves."""

    def __init__(self) -> None:
        self.wall_s, self.steady_s = 1_784_505_600.0, 50.0

    def pass_s(self, seconds: float, step_s: float = 0.0) -> None:
        self.steady_s += seconds
        self.wall_s += seconds + step_s

    def module(self) -> SimpleNamespace:
        return SimpleNamespace(time=lambda: self.wall_s, monotonic=lambda: self.steady_s)


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Machine:
    made = Machine()
    monkeypatch.setattr(clock, "time", made.module())
    return made


def test_time_is_the_systems_and_follows_a_step_forwards(machine: Machine) -> None:
    ours = SystemClock()
    machine.pass_s(10, step_s=3600)
    assert ours.now() == datetime.fromtimestamp(machine.wall_s, UTC)


def test_after_a_step_back_time_goes_on_at_half_speed_until_the_system_has_caught_up(machine: Machine) -> None:
    ours = SystemClock()
    before = ours.now()
    machine.pass_s(0, step_s=-60)
    machine.pass_s(30)
    assert ours.now() - before == timedelta(seconds=15)
    machine.pass_s(90)
    assert ours.now() - before == timedelta(seconds=60)
    machine.pass_s(10)
    assert ours.now() == datetime.fromtimestamp(machine.wall_s, UTC)


def test_a_replay_is_not_thrown_back_either(machine: Machine) -> None:
    replay = ReplayClock(datetime(2026, 7, 20, tzinfo=UTC), 60.0)
    machine.pass_s(10)
    reached = replay.now()
    machine.pass_s(2, step_s=-100)
    assert replay.now() - reached == timedelta(seconds=60)


@given(st.lists(st.tuples(st.floats(0.001, 1000), st.floats(-5000, 5000)), min_size=1))
def test_whatever_the_steps_time_always_goes_on(steps: list[tuple[float, float]]) -> None:
    machine, kept = Machine(), vars(clock)["time"]
    vars(clock)["time"] = machine.module()
    try:
        ours = SystemClock()
        last = ours.now()
        for seconds, step_s in steps:
            machine.pass_s(seconds, step_s)
            now = ours.now()
            assert now - last >= timedelta(seconds=seconds / 2 - 1e-5)
            last = now
    finally:
        vars(clock)["time"] = kept
    assert vars(clock)["time"] is time
