"""What a villager reads out of a text, and the words he answers with."""

import re
import unicodedata
from dataclasses import dataclass
from itertools import zip_longest

from simulators import chance

# The templates say 「回复“1 4821”已收到；“2 4821”正在转移；“3 4821 人数”已转移」 and "Reply 1 4821 received, …"; quotes and spaces vary.
REPLY_CODE = re.compile(r"(?:回复|答复|reply)[\s:：]*[“”\"'「『]?\s*1\s*[-+ ]?\s*([0-9A-Za-z]{3,8})\b", re.IGNORECASE | re.ASCII)
OFFERED = re.compile(r"\b([23])\s*[-+ ]?\s*(?=([0-9A-Za-z]{3,8})\b)", re.ASCII)
LINK = re.compile(r"https?://[^\s/]+(?:/[A-Za-z0-9._~-]+)*/a/[A-Za-z0-9._~%=-]*[A-Za-z0-9_~=-]")
CHINESE = re.compile(r"[\u4e00-\u9fff]")

RECEIVED = "received"
EVACUATING = "evacuating"
EVACUATED = "evacuated"
REFUSED = "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One answer that a text asks for. ``key`` names it for life; ``actions`` are those the text offers, in order."""

    key: str
    code: str
    link: str
    actions: tuple[str, ...]
    chinese: bool


def questions(text: str) -> tuple[Question, ...]:
    """What a text asks; nothing when it carries neither a reply code nor a link (a lowering, a lifting)."""
    plain = unicodedata.normalize("NFKC", text)
    codes = list(dict.fromkeys(REPLY_CODE.findall(plain)))
    links = list(dict.fromkeys(LINK.findall(text)))
    chinese = CHINESE.search(text) is not None
    return tuple(
        Question(key=code or link.rpartition("/")[2], code=code, link=link, actions=_actions(plain, code), chinese=chinese)
        for code, link in zip_longest(codes, links, fillvalue="")
    )


def _actions(plain: str, code: str) -> tuple[str, ...]:
    """A link alone does not say what it asks; the page will, and buttons that are not there are passed over."""
    if not code:
        return (RECEIVED, EVACUATING, EVACUATED)
    offered = set(OFFERED.findall(plain))
    later = ((EVACUATING, ("2", code) in offered), (EVACUATED, ("3", code) in offered))
    return (RECEIVED, *(action for action, there in later if there))


def formal(question: Question, action: str, people: int) -> str:
    """The answer as the text asks for it."""
    digit = {RECEIVED: "1", EVACUATING: "2", EVACUATED: "3"}[action]
    return f"{digit} {question.code} {people}" if action == EVACUATED else f"{digit} {question.code}"


def in_field_wording(question: Question, action: str, people: int, *names: object) -> str:
    """The answer as people in a hurry write it."""
    chinese = question.chinese
    code = question.code
    received = (
        ("收到", "1", "１", f"收到 {code}", f"「收到」{code}", f"１ {code}", "好的 收到。")
        if chinese
        else ("OK", "1", f"OK {code}", f"ok{code} ")
    )
    moving = (f"正在转移 {code}", f"2 {code}", f"２　{code}") if chinese else (f"moving {code}", f"2 {code}")
    moved = (
        (f"已转移{people}人", f"已转移 {people} 人 {code}", f"３ {code} {people}")
        if chinese
        else (f"3 {code} {people}", f"all moved {people} {code}")
    )
    return chance.pick({RECEIVED: received, EVACUATING: moving, EVACUATED: moved}[action], *names)


def refusal(question: Question, *names: object) -> str:
    """The answer of someone who will not or cannot go."""
    choices = ("去不了", f"去不了 {question.code}") if question.chinese else (f"cannot go {question.code}", "can't")
    return chance.pick(choices, *names)
