"""Addresses as they may be shown to somebody who does not need to dial them."""

_SHOWN_AT_END = 2
_SHOWN_AT_START = 4
_PHONE_DIGITS = 7


def mask(address: str) -> str:
    """A phone number with its middle hidden (``+447•••••••12``); other addresses (speakers, the duty room) as they are."""
    digits = sum(c.isdigit() for c in address)
    if not address.startswith("+") or digits < _PHONE_DIGITS:
        return address
    hidden = len(address) - _SHOWN_AT_START - _SHOWN_AT_END
    return address[:_SHOWN_AT_START] + "•" * hidden + address[-_SHOWN_AT_END:]
