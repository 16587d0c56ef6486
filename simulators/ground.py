"""What every part of the town stands on."""

from dataclasses import dataclass

from simulators import habits, ledger, recording_time


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """Behaviour, seed, time, ledger, and the account of the phone network."""

    settings: habits.Habits
    seed: int
    clock: recording_time.RecordingTime
    book: ledger.Ledger
    account: str
