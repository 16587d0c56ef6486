"""What the town decides without sockets: habits, wording, signatures, segments, forms, ledgers."""

import json
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators import chance, habits, ledger, link_form, roster, rush, segments, signature, wording
from simulators.ledger import Entry, Kind
from tests.services.left_out import leave_out

VECTORS = Path(os.environ.get("DISPATCHER_DATA", Path(__file__).parents[3] / "shared" / "data")) / "vectors"
SAMPLE = Path(__file__).parents[2] / "config" / "sample"
NOON = datetime(2026, 7, 20, 4, tzinfo=UTC)


def test_a_signature_is_the_one_in_twilios_documentation() -> None:
    form = [
        ("CallSid", "CA1234567890ABCDE"),
        ("Digits", "1234"),
        ("From", "+14158675309"),
        ("To", "+18005551212"),
        ("Caller", "+14158675309"),
    ]
    assert signature.signature("12345", "https://mycompany.com/myapp.php?foo=1&bar=2", form) == "RSOYDt4T1cUTdK1PDd93/VVr8B8="


def test_a_repeated_field_is_signed_sorted_and_each_pair_once() -> None:
    form = [("Sid", "CA123"), ("SidAccount", "AC123"), ("Digits", "5678"), ("Digits", "1234"), ("Digits", "1234")]
    assert signature.signature("12345", "https://mycompany.com/myapp.php?foo=1&bar=2", form) == "IK+Dwps556ElfBT0I3Rgjkr1wJU="


def test_segments_agree_with_the_published_cases() -> None:
    path = VECTORS / "sms-segments.json"
    if not path.exists():
        leave_out("recordings", "no shared/data/vectors beside the checkout")
    cases = json.loads(path.read_text("utf-8"))["cases"]
    assert {c["testDescription"]: segments.segments(c["body"]) for c in cases} == {c["testDescription"]: c["segments"] for c in cases}


def _people() -> roster.Roster:
    return roster.load(SAMPLE)


def test_habits_are_the_same_for_the_same_seed_and_others_for_another() -> None:
    people = _people()
    first, again, other = (habits.of_contacts(people, habits.Habits(), seed) for seed in (1, 1, 2))
    assert first == again
    assert first != other


@pytest.mark.parametrize("seed", range(20))
def test_somebody_finally_answers_for_every_village_of_the_sample(seed: int) -> None:
    people = _people()
    drawn = habits.of_contacts(people, habits.Habits(), seed)
    leaders = {
        c.area for c in people.contacts if c.role.startswith("township.") and "sms" in c.channels and drawn[c.id] in habits.ANSWERING
    }
    for village, township in people.townships.items():
        own = [c for c in people.contacts if c.area == village and "sms" in c.channels]
        assert any(drawn[c.id] in habits.ANSWERING for c in own) or (not own and township in leaders), village


def test_shares_come_out_as_set() -> None:
    drawn = [chance.pick_by_share({"a": 0.75, "b": 0.25, "never": 0.0}, 1, n) for n in range(4000)]
    assert (abs(drawn.count("a") / 4000 - 0.75) < 0.03, "never" in drawn) == (True, False)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        pytest.param("shares: {sleepy: 1}", "shares.sleepy", id="unknown-habit"),
        pytest.param("delays: {prompt: [9, 1]}", "lower bound", id="bounds-swapped"),
        pytest.param("sharse: {}", "sharse", id="misspelt-key"),
        pytest.param("shares: [", "not YAML", id="not-yaml"),
    ],
)
def test_a_wrong_habits_file_is_told_with_its_key(tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / "habits.yaml"
    path.write_text(text, "utf-8")
    with pytest.raises(ValueError, match=told):
        habits.load(path)


@pytest.mark.parametrize(
    ("text", "code", "actions"),
    [
        pytest.param("河口村注意雨情。回复“1 4821”已收到。", "4821", ("received",), id="zh-blue"),
        pytest.param("回复“1 4821”已收到；“2 4821”正在转移。", "4821", ("received", "evacuating"), id="zh-orange"),
        pytest.param("Reply 1 4821 received, 2 4821 moving, 3 4821 N moved.", "4821", ("received", "evacuating", "evacuated"), id="en-red"),
        pytest.param("答复：１　４８２１ 已收到", "4821", ("received",), id="full-width"),
    ],
)
def test_a_reply_code_is_read_with_the_actions_the_text_offers(text: str, code: str, actions: tuple[str, ...]) -> None:
    (question,) = wording.questions(text)
    assert (question.code, question.actions) == (code, actions)


def test_a_link_ends_where_the_sentence_goes_on() -> None:
    (question,) = wording.questions("详见http://127.0.0.1:8080/a/ab.c-d_1。防汛办")
    assert (question.link, question.key) == ("http://127.0.0.1:8080/a/ab.c-d_1", "ab.c-d_1")


@pytest.mark.parametrize("text", ["河口村：山洪预警解除。水位 4821 毫米。", "Hekou: warning lifted. 1 4821", ""])
def test_a_text_without_a_request_asks_nothing(text: str) -> None:
    assert wording.questions(text) == ()


@given(st.text())
def test_any_text_can_be_read(text: str) -> None:
    for question in wording.questions(text):
        assert question.key


@given(st.text())
def test_any_page_can_be_read(html: str) -> None:
    link_form.press(html, "http://127.0.0.1/a/x", "received", 0)


def test_a_disabled_button_is_not_pressed() -> None:
    html = "<form method=post><button name=action value=received disabled>收到</button></form>"
    assert link_form.press(html, "http://127.0.0.1/a/x", "received", 0) is None


def test_a_ledger_is_read_back_as_written_and_a_torn_last_line_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    entry = Entry(at=NOON, kind=Kind.SMS_ACCEPTED, delivery="d1", to="+447700900001", body="河口村", more={"from": "+447700900999"})
    book = ledger.Ledger(path)
    book.write(entry)
    book.close()
    with path.open("ab") as file:
        file.write(b'{"at": "2026-07')
    assert list(ledger.read(path)) == [entry]
    again = ledger.Ledger(path)
    again.write(entry)
    again.close()
    assert list(ledger.read(path)) == [entry, entry]


def test_a_line_that_is_no_entry_is_told_with_its_number(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    path.write_text('{"kind": "sms.accepted"}\n', "utf-8")
    with pytest.raises(ValueError, match=r"ledger\.jsonl:1"):
        list(ledger.read(path))


def test_lost_and_duplicates_are_counted_message_by_message() -> None:
    arrived = ledger.arrivals(Entry(at=NOON, kind=Kind.SMS_ACCEPTED, delivery=d) for d in ("a", "b", "b"))
    assert (ledger.lost(["a", "b", "c"], arrived), ledger.duplicates(arrived)) == (("c",), ("b",))


def test_few_texts_are_no_rush_and_many_are() -> None:
    crowd = rush.Rush()
    crowd.note()
    assert not crowd.is_on()
    for _ in range(3 * rush.MANY_PER_SLOT):
        crowd.note()
    assert crowd.is_on()
