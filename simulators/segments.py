"""How many segments a text takes: GSM-7 160/153, UCS-2 70/67."""

GSM_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
BASIC_PLANE = 0xFFFF
GSM_EXTENDED = frozenset("\f^{}\\[~]|€")
GSM = GSM_BASIC | GSM_EXTENDED


def segments(text: str) -> int:
    """Segments of one text; any character outside GSM-7 makes the whole text UCS-2. An escaped or paired unit is never split."""
    used = frozenset(text)
    gsm = used <= GSM
    single, part = (160, 153) if gsm else (70, 67)
    doubled = used & GSM_EXTENDED if gsm else {letter for letter in used if ord(letter) > BASIC_PLANE}
    if not doubled:  # nearly always: nothing is to be looked at letter by letter
        return 1 if len(text) <= single else -(-len(text) // part)
    return _count([2 if letter in doubled else 1 for letter in text], single=single, part=part)


def _count(units: list[int], *, single: int, part: int) -> int:
    if sum(units) <= single:
        return 1
    parts, used = 1, 0
    for unit in units:
        if used + unit > part:
            parts, used = parts + 1, 0
        used += unit
    return parts
