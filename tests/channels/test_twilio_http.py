"""Forms as Twilio's client sends them through us."""

from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.channels.twilio_http import form
from simulators import forms

_VALUES = st.text(st.characters(codec="utf-8"))


@given(st.dictionaries(st.from_regex(r"[A-Z][a-z]{1,8}", fullmatch=True), _VALUES))
def test_whatever_is_written_is_read_back_by_any_reader(fields: dict[str, str]) -> None:
    body = form(fields).decode("ascii")
    assert dict(parse_qsl(body, keep_blank_values=True)) == fields
    assert forms.fields(body) == fields


def test_a_field_with_several_values_is_repeated() -> None:
    assert parse_qsl(form({"Event": ["ringing", "answered"]}).decode()) == [("Event", "ringing"), ("Event", "answered")]


@pytest.mark.parametrize("body", ["To=%2B447700900001&Body=a+b", "To=%2b447700900001&Body=a%20b", "Body=a b&To=%2B447700900001"])
def test_the_town_reads_what_other_programs_write(body: str) -> None:
    assert forms.fields(body) == {"To": "+447700900001", "Body": "a b"}
