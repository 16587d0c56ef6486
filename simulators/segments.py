"""How many segments a text takes: GSM-7 160/153, UCS-2 70/67."""

GSM_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
BASIC_PLANE = 0xFFFF
GSM_EXTENDED = frozenset("\f^{}\\[~]|€")


def segments(text: str) -> int:
    """Segments of one text; any character outside GSM-7 makes the whole text UCS-2. An escaped or paired unit is never split."""
    if all(letter in GSM_BASIC or letter in GSM_EXTENDED for letter in text):
        return _count([2 if letter in GSM_EXTENDED else 1 for letter in text], single=160, part=153)
    return _count([2 if ord(letter) > BASIC_PLANE else 1 for letter in text], single=70, part=67)


def _count(units: list[int], *, single: int, part: int) -> int:
    if sum(units) <= single:
        return 1
    parts, used = 1, 0
    for unit in units:
        if used + unit > part:
            parts, used = parts + 1, 0
        used += unit
    return parts
