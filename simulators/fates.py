"""What becomes of a text on its way to a phone, decided when the network takes it."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from simulators import chance, habits

PHONE_OFF = "30003"
NUMBER_DEAD = "30005"
TOO_LATE = "30036"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sms:
    """A text that the network has taken. ``reference`` is its SID; ``delivery`` the engine's id, read from the callback URL."""

    reference: str
    to: str
    sender: str
    body: str
    callback: str
    delivery: str
    accepted_at: datetime
    valid: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One change of a text's status, in Twilio's words, and Twilio's error code where it failed."""

    at: datetime
    status: str
    code: str = ""


def steps(sms: Sms, habit: habits.Habit | None, delays: habits.Delays, seed: int) -> tuple[Step, ...]:
    """The way of one text to a phone with this habit; a number that nobody has (None) is unknown to the network."""
    names = (seed, sms.reference)
    sent_at = sms.accepted_at + chance.between(*delays.sent, *names, "sent")
    if habit in (None, habits.Habit.DEAD):
        return (Step(at=sent_at, status="failed", code=NUMBER_DEAD),)
    if sent_at > sms.accepted_at + sms.valid:
        return (Step(at=sms.accepted_at + sms.valid, status="failed", code=TOO_LATE),)
    sent = Step(at=sent_at, status="sent")
    if habit is habits.Habit.OFF:
        return sent, Step(at=sent_at + chance.between(*delays.undelivered, *names, "off"), status="undelivered", code=PHONE_OFF)
    return sent, Step(at=sent_at + chance.between(*delays.delivered, *names, "arrives"), status="delivered")
