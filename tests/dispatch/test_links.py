from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatcher.answers.links import Link, open_link, sign_link
from dispatcher.errors import LinkRefused
from tests.dispatch.making import SECRET, START

LINK = Link("4217", "c-1.a")
EXPIRES = START + timedelta(hours=6)
TOKEN = sign_link(SECRET, LINK, EXPIRES)


def test_a_link_opens_until_it_expires_and_speaks_for_one_notice_and_one_person() -> None:
    assert open_link(SECRET, TOKEN, START) == LINK
    assert open_link(SECRET, TOKEN, EXPIRES) == LINK


def test_an_expired_link_says_that_it_has_expired() -> None:
    with pytest.raises(LinkRefused) as refused:
        open_link(SECRET, TOKEN, EXPIRES + timedelta(minutes=2))
    assert refused.value.expired


@pytest.mark.parametrize("position", range(len(TOKEN)))
def test_a_link_altered_in_any_position_is_refused(position: int) -> None:
    other = "x" if TOKEN[position] != "x" else "y"
    for altered in (TOKEN[:position] + other + TOKEN[position + 1 :], TOKEN[:position] + TOKEN[position + 1 :], TOKEN[:position]):
        with pytest.raises(LinkRefused) as refused:
            open_link(SECRET, altered, START)
        assert not refused.value.expired


def test_a_link_of_another_secret_is_refused() -> None:
    with pytest.raises(LinkRefused):
        open_link(b"another", TOKEN, START)


@given(st.text(max_size=60))
def test_any_text_is_refused_and_nothing_else_happens(token: str) -> None:
    with pytest.raises(LinkRefused):
        open_link(SECRET, token, START)


@given(st.characters(categories=["Cs"]))
def test_half_characters_are_refused_like_any_other(half: str) -> None:
    with pytest.raises(LinkRefused):
        open_link(SECRET, f"4217.{half}.1.{half}", START)


def test_a_token_is_safe_in_an_address() -> None:
    assert all(c.isalnum() or c in "._-" for c in TOKEN)
