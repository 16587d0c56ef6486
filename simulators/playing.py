"""What a speaker does with a command, decided when the command arrives."""

import json
from dataclasses import dataclass
from datetime import datetime

from simulators import chance, habits

ROOTS = {"Actual": "speakers", "Exercise": "drill/speakers"}
EXERCISE_MARKS = {"zh": "【演练】", "en": "[EXERCISE] "}
STATUSES = ("Actual", "Exercise")
TIMES_MAX = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """What a speaker is told to say."""

    id: str
    speaker: str
    status: str
    text: str
    language: str
    times: int
    expires: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """One status a speaker sends back."""

    at: datetime
    state: str
    played: int
    reason: str = ""

    def payload(self, command: Command, at: datetime) -> str:
        """The report as JSON, stamped with the time it is really sent."""
        told = {"id": command.id, "state": self.state, "played": self.played, "of": command.times, "at": at.isoformat()}
        return json.dumps(told | {"status": command.status, "reason": self.reason}, ensure_ascii=False)


def read(topic: str, payload: bytes) -> Command:
    """A command as it arrived; ValueError says what is wrong with it."""
    found = json.loads(payload)
    if not isinstance(found, dict):
        raise ValueError("a command is a JSON object")  # noqa: TRY004  # one error for everything unreadable
    missing = [name for name in ("id", "status", "text", "expires") if not found.get(name)]
    if missing:
        raise ValueError(f"missing: {', '.join(missing)}")
    expires = datetime.fromisoformat(found["expires"])
    if expires.tzinfo is None:
        raise ValueError("expires needs a time zone")
    return Command(
        id=str(found["id"]),
        speaker=topic.split("/")[-2],
        status=str(found["status"]),
        text=str(found["text"]),
        language=str(found.get("language", "zh")),
        times=min(max(int(found.get("times", 1)), 1), TIMES_MAX),
        expires=expires,
    )


def spoken(command: Command) -> str:
    """The words that come out: an exercise says first that it is one."""
    mark = EXERCISE_MARKS.get(command.language, EXERCISE_MARKS["en"])
    if command.status != "Exercise" or command.text.startswith(mark.strip()):
        return command.text
    return mark + command.text


def reports(
    command: Command, habit: habits.SpeakerHabit | None, delays: habits.Delays, seed: int, arrived_at: datetime
) -> tuple[Report, ...]:
    """All that follows from one command, in order of time."""
    refused = _refused(command, habit, arrived_at)
    if refused is not None:
        return (refused,)
    names = (seed, command.speaker, command.id)
    queued = Report(at=arrived_at, state="queued", played=0)
    playing = Report(at=arrived_at + chance.between(*delays.speaker_start, *names, "start"), state="playing", played=0)
    once = chance.between(*delays.speaker_play, *names, "play")
    if habit is habits.SpeakerHabit.FAILS:
        done = int(chance.draw(*names, "fails") * command.times)
        return queued, playing, Report(at=playing.at + (done + 0.5) * once, state="failed", played=done, reason="amplifier fault")
    return queued, playing, Report(at=playing.at + command.times * once, state="played", played=command.times)


def _refused(command: Command, habit: habits.SpeakerHabit | None, arrived_at: datetime) -> Report | None:
    if habit is None:
        return Report(at=arrived_at, state="offline", played=0, reason="no such speaker")
    if habit is habits.SpeakerHabit.OFFLINE:
        return Report(at=arrived_at, state="offline", played=0, reason="speaker does not answer")
    if command.status not in STATUSES:
        return Report(at=arrived_at, state="failed", played=0, reason="status must be Actual or Exercise")
    if command.expires <= arrived_at:
        return Report(at=arrived_at, state="failed", played=0, reason="expired")
    return None
