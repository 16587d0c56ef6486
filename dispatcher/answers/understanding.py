"""What people write back, understood. Total: any text gives an Understood or None (a person must look).

Accepted: full-width digits, quotes, spaces, punctuation, the words of the field in Chinese and English, a short code anywhere.
"""

import re
import unicodedata
from dataclasses import dataclass

from dispatcher.model.answer import Said

_WORDS: tuple[tuple[Said, tuple[str, ...]], ...] = (
    (Said.HELP, ("求助", "救命", "需要帮助", "需要支援", "被困", "help", "sos")),
    (Said.REFUSED, ("拒绝", "不去", "去不了", "不转移", "无法转移", "不能转移", "refuse", "refused", "cannot go", "cant go", "wont go")),
    (Said.EVACUATED, ("已转移", "已经转移", "转移完", "已撤离", "已经撤离", "撤离完", "全部转移", "evacuated", "all moved", "moved all")),
    (Said.EVACUATING, ("正在转移", "开始转移", "转移中", "正在撤离", "evacuating", "moving")),
    (Said.RECEIVED, ("收到", "知道了", "明白", "好的", "已阅", "received", "copy", "ok", "yes", "roger")),
)


def _any_of(words: tuple[str, ...]) -> re.Pattern[str]:
    """One search for all of these: English ones as whole words, Chinese ones anywhere."""
    return re.compile("|".join(rf"\b{re.escape(word)}\b" if word.isascii() else re.escape(word) for word in words))


_HEARD = tuple((said, _any_of(words)) for said, words in _WORDS)
_MOVED = re.compile(r"(?:转移|撤离|moved)\D{0,4}(\d{1,5})|(\d{1,5})\s*(?:人|people|moved)")
_FORM = r"([1239])\s*(\d{{{digits}}})(?:\s+(\d{{1,5}})\s*(?:人|people|moved)?)?"
_DIGITS = {"1": Said.RECEIVED, "2": Said.EVACUATING, "3": Said.EVACUATED, "9": Said.HELP}
_APOSTROPHES = re.compile(r"(?<=[a-z])['’](?=[a-z])")
_NOISE = re.compile(r"[\"'“”‘’「」『』()()\[\]【】,,。.!!??;;::、~～…·]+")
_NOT = re.compile(
    r"没有?收到|未收到|不明白|不知道|不好的|(?:没有?|未|尚未)(?:全部|全|都|完全|能)?(?:收到|转移|撤离)"
    r"|\b(?:not|no|never|(?:have|has|had|did|do|does|is|are|was|were|could)nt)\b"
)
_NO_HELP = re.compile(r"(?:不需要?|不用|不要|无需)(?:帮助|支援|求助)|\bno help\b|\bnot need (?:any )?help\b|\bdont need (?:any )?help\b")
OPT_OUT = frozenset({"stop", "stopall", "unsubscribe", "cancel", "end", "quit", "td", "退订"})
MAX_LENGTH = 500


@dataclass(frozen=True, slots=True)
class Understood:
    """What was said; ``code`` is the short code when one was given, ``people`` how many were moved."""

    said: Said
    code: str = ""
    people: int | None = None


def normalise(text: str) -> str:
    """Half-width, lower case, punctuation and doubled spaces gone."""
    plain = _APOSTROPHES.sub("", unicodedata.normalize("NFKC", text[:MAX_LENGTH]).casefold())
    return " ".join(_NOISE.sub(" ", plain).split())


def opts_out(text: str) -> bool:
    """The word by which carriers block a number: a responder who says it has lost his SMS path."""
    return normalise(text) in OPT_OUT


def understand(text: str, code_digits: int = 4) -> Understood | None:
    """The answer in a text, or None when a person must read it. Help and refusal are heard through every "not"."""
    plain = " ".join(_NO_HELP.sub(" ", normalise(text)).split())
    code, rest = _take_code(plain, code_digits)
    said = _by_word(rest)
    if said in (Said.HELP, Said.REFUSED):
        return Understood(said, code)
    if not plain or _NOT.search(plain):
        return None
    form = re.fullmatch(_FORM.format(digits=code_digits), plain)
    if form:
        moved = _DIGITS[form[1]] in (Said.EVACUATED, Said.EVACUATING) and form[3]
        return Understood(_DIGITS[form[1]], form[2], int(form[3]) if moved else None)
    said = said or _by_digit(rest)
    if said is None:
        return Understood(Said.RECEIVED, code) if code and not rest else None
    return Understood(said, code, _people(rest) if said in (Said.EVACUATED, Said.EVACUATING) else None)


def _take_code(plain: str, digits: int) -> tuple[str, str]:
    """The one number that has as many digits as a code, and the text without it.

    Of two such numbers neither is the code, and neither is a number of people.
    """
    number = re.compile(rf"(?<!\d)\d{{{digits}}}(?!\d|\s*人|\s*people|\s*moved)")
    found = number.findall(plain)
    rest = " ".join(number.sub(" ", plain).split())
    return (found[0] if len(found) == 1 else ""), rest


def _by_word(plain: str) -> Said | None:
    return next((said for said, words in _HEARD if words.search(plain)), None)


def _by_digit(plain: str) -> Said | None:
    first = plain.partition(" ")[0]
    return _DIGITS.get(first)


def _people(plain: str) -> int | None:
    match = _MOVED.search(plain)
    if match:
        return int(match.group(1) or match.group(2))
    numbers = [int(n) for n in re.findall(r"(?<!\d)\d{1,5}(?!\d)", plain)]
    if _by_digit(plain):
        numbers = numbers[1:]
    return numbers[0] if len(numbers) == 1 else None
