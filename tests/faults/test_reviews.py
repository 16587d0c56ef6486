"""What is under review leaves when it was released, and what names no delivery finds its own, in ledgers that were made up for it."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from simulators.ledger import Entry, Kind
from tests.faults.officer import REFUSED
from tests.faults.owners import with_owners
from tests.faults.releasers import Word
from tests.faults.test_verdict import AT, PHONE, SOUND, delivery, heard, notice
from tests.faults.verdict import Reference, Verdict, judge

OWED = Reference(changes=SOUND.changes, told={})


def test_a_message_that_names_no_delivery_is_that_of_the_same_words_that_nobody_has_heard_yet() -> None:
    first, again, marked = (delivery(name) | {"text": "河口村"} for name in ("d1", "d2", "d3"))
    marked |= {"possible_duplicate": 1}
    nameless, other = replace(heard(""), body="河口村"), replace(heard(""), body="长滩村")
    world = with_owners([replace(heard("d1"), body="河口村"), nameless, other, nameless, nameless], [first, again, marked])
    assert [entry.delivery for entry in world] == ["d1", "d2", "", "d3", "d3"]
    shown = Entry(
        at=AT, kind=Kind.CHAT_POSTED, to=PHONE.removeprefix("+44"), body="【演练】河口村 https://x/a/1\n\n[答复](https://x/a/1)\n\n@1"
    )
    (post,) = with_owners([shown], [first, delivery("c") | {"channel": "chat", "text": "河口村 https://x/a/1"}])
    assert (post.delivery, post.to) == ("c", f"chat {PHONE}")


def word(person: str, at: datetime = AT - timedelta(seconds=1), **other: Any) -> Word:  # noqa: ANN401 - any part of it
    said: dict[str, Any] = {"person": person, "proposal": "p1", "hash": "h", "digest": "d", "village": "v", "grade": "red"}
    said |= {"status": "Actual", "at": at, "taken": True}
    return Word(**said | other)


def test_what_two_officers_released_is_told_and_in_the_audit_log_and_what_waits_reaches_nobody() -> None:
    agreed = [{"actor": who, "act": "approve", "subject": "p1", "detail": '{"hash": "h"}'} for who in ("first", "second")]
    entries = '{"entries": {"v rule:r/G1": "orange → red"}}'
    released = {"actor": "first, second", "act": "released_release", "subject": "p1", "detail": entries}
    red: dict[str, Any] = {"notices": (notice(grade=4),), "proposals": ({"id": "p1", "hazard": "flash-flood", "status": "Actual"},)}
    whole = red | {"acts": (*agreed, released), "approvals": (word("first"), word("second"))}

    def judged_as(**changed: Any) -> Verdict:  # noqa: ANN401 - any part of the evidence
        return judge(replace(SOUND, **whole | changed), OWED)

    assert judged_as().holds
    assert "there is no notice of it" in judged_as(notices=(notice(grade=3),)).lost[0]
    assert judged_as(notices=(notice(grade=3),), approvals=(word("first"), word("second", taken=False))).holds, "his word was never taken"
    assert "is not in the audit log" in judged_as(acts=(agreed[0], released)).lost[0]
    assert "has no release of it" in judged_as(acts=agreed).wrong[0]
    assert "has no release of it" in judged_as(acts=(*agreed, released | {"actor": "first"})).wrong[0]
    refused = word("first", act="refuse", hash="other")
    assert "the refuse of first" in judged_as(approvals=(word("first"), word("second"), refused)).lost[0]
    assert "was refused" in judged_as(world=(*SOUND.world, heard("d1", REFUSED))).wrong[0]
    early = judged_as(approvals=(word("first"), word("second", AT + timedelta(seconds=1))))
    assert "before two officers had released it" in early.wrong[0]
    assert "before two officers" in judged_as(approvals=(word("first"), word("first"))).wrong[0]
    said_alone = agreed[0] | {"detail": '{"hash": "h", "override": true}'}
    alone = {"acts": (said_alone, released | {"actor": "first (override)"}), "approvals": (word("first", act="override"),)}
    assert judged_as(**alone).holds
    assert "there is no notice of it" in judged_as(**alone | {"notices": (notice(grade=3),)}).lost[0]
    assert "the override of first" in judged_as(**alone | {"acts": (agreed[0], alone["acts"][1])}).lost[0]


def test_what_silence_released_is_in_the_audit_log() -> None:
    blue: dict[str, Any] = {"notices": (notice(grade=1),), "proposals": ({"id": "p1", "hazard": "flash-flood", "status": "Actual"},)}
    let_go = {"actor": "policy:timeout", "act": "released_release", "subject": "p1", "detail": '{"entries": {"v r": "none → blue"}}'}
    assert judge(replace(SOUND, **blue), OWED).wrong
    assert judge(replace(SOUND, **blue, acts=(let_go,)), OWED).holds


def test_a_roll_call_that_was_taken_has_asked_somebody_and_several_in_one_place_are_asked() -> None:
    calls = [notice() | {"id": f"roll-call.r1/{who}/1", "warning": "roll-call.r1", "hazard": "roll-call"} for who in ("first", "second")]
    assert judge(replace(SOUND, roll_calls=frozenset({"r1"}), notices=(*SOUND.notices, *calls)), OWED).holds
    assert judge(replace(SOUND, roll_calls=frozenset({"r1"})), OWED).lost == ("roll call r1 was taken and nobody was asked",)
