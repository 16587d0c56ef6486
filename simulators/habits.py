"""How each villager and each speaker behaves, drawn from a seed and their id."""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from itertools import groupby
from pathlib import Path
from typing import Annotated

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from simulators import chance, roster


class Habit(StrEnum):
    """What a villager does with a message."""

    PROMPT = "prompt"
    SLOW = "slow"
    LINK = "link"
    WORDING = "wording"
    SILENT = "silent"
    OFF = "off"
    DEAD = "dead"
    REFUSES = "refuses"


class SpeakerHabit(StrEnum):
    """What a speaker does with a command."""

    WORKS = "works"
    OFFLINE = "offline"
    FAILS = "fails"


ANSWERING = frozenset({Habit.PROMPT, Habit.SLOW, Habit.LINK, Habit.WORDING})


def _ordered(bounds: tuple[float, float]) -> tuple[float, float]:
    if bounds[0] > bounds[1]:
        raise ValueError(f"the lower bound {bounds[0]} lies above the upper {bounds[1]}")
    return bounds


Share = Annotated[float, Field(ge=0)]
Seconds = Annotated[tuple[Annotated[float, Field(ge=0)], Annotated[float, Field(ge=0)]], AfterValidator(_ordered)]


class Delays(BaseModel):
    """Lower and upper bounds in seconds of recording time; the last two count from the first answer."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    prompt: Seconds = (20, 90)
    slow: Seconds = (180, 720)
    evacuating: Seconds = (120, 480)
    evacuated: Seconds = (900, 2400)
    sent: Seconds = (0.5, 2)
    delivered: Seconds = (1, 5)
    undelivered: Seconds = (15, 40)
    picks_up: Seconds = (4, 20)
    speaker_start: Seconds = (2, 6)
    speaker_play: Seconds = (10, 30)


class Habits(BaseModel):
    """The file that ``--habits`` names; every key has a default.

    ``terminals``: the key that somebody presses at a speaker some time after it has played.
    ``contacts`` and ``speakers`` fix the habit of single ids. ``every_village_answers`` makes a deputy, or the township's
    leaders, answer where chance left a village without anybody who would.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    shares: dict[Habit, Share] = {
        Habit.PROMPT: 0.36,
        Habit.SLOW: 0.18,
        Habit.LINK: 0.16,
        Habit.WORDING: 0.15,
        Habit.SILENT: 0.06,
        Habit.OFF: 0.04,
        Habit.DEAD: 0.03,
        Habit.REFUSES: 0.02,
    }
    speaker_shares: dict[SpeakerHabit, Share] = {SpeakerHabit.WORKS: 0.9, SpeakerHabit.OFFLINE: 0.06, SpeakerHabit.FAILS: 0.04}
    contacts: dict[str, Habit] = {}
    speakers: dict[str, SpeakerHabit] = {}
    terminals: dict[str, str] = {}
    delays: Delays = Delays()
    people_moved: tuple[int, int] = (8, 160)
    every_village_answers: bool = True


def load(path: Path | None) -> Habits:
    """The habits of a file, or the defaults; ValueError names the file, the key and what is allowed."""
    if path is None:
        return Habits()
    try:
        return Habits.model_validate(yaml.safe_load(path.read_text("utf-8")) or {})
    except yaml.YAMLError as error:
        raise ValueError(f"{path}: not YAML: {error}") from error
    except ValidationError as error:
        told = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise ValueError(f"{path}: {told}") from error


def of_contacts(people: roster.Roster, habits: Habits, seed: int) -> dict[str, Habit]:
    """The habit of each contact, by contact id."""
    drawn = {
        contact.id: habits.contacts.get(contact.id) or chance.pick_by_share(habits.shares, seed, "contact", contact.id)
        for contact in people.contacts
    }
    if habits.every_village_answers:
        drawn |= _made_to_answer(people, drawn, habits.contacts)
    return drawn


def of_speakers(people: roster.Roster, habits: Habits, seed: int) -> dict[str, SpeakerHabit]:
    """The habit of each speaker, by speaker id."""
    return {
        speaker.id: habits.speakers.get(speaker.id) or chance.pick_by_share(habits.speaker_shares, seed, "speaker", speaker.id)
        for speaker in people.speakers
    }


def _made_to_answer(people: roster.Roster, drawn: Mapping[str, Habit], fixed: Mapping[str, Habit]) -> dict[str, Habit]:
    """Whoever must answer so that each village has an answer: leaders above the village, and a deputy where all others stay silent."""
    able = [contact for contact in people.contacts if contact.phone and "sms" in contact.channels and contact.id not in fixed]
    above = [contact for contact in able if contact.role.startswith(("township.", "county.")) and drawn[contact.id] not in ANSWERING]
    changed = {contact.id: Habit.PROMPT for contact in above}
    for _, living in groupby(sorted((c for c in able if c.role.startswith("village.")), key=lambda c: c.area), key=lambda c: c.area):
        village = list(living)
        if not any(drawn[contact.id] in ANSWERING for contact in village):
            changed[_last_called(village).id] = Habit.SLOW
    return changed


def _last_called(village: Iterable[roster.Contact]) -> roster.Contact:
    contacts = list(village)
    return next((contact for contact in contacts if contact.role == "village.deputy"), contacts[-1])
