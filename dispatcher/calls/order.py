"""In which order a person's channels are tried, and why. Decisions only."""

from functools import lru_cache

from dispatcher.registry.model import SMS, VOICE

Groups = tuple[tuple[str, ...], ...]
_KEPT = 4096


def order_of(by: Groups, channels: tuple[str, ...], hours: str) -> tuple[Groups, str]:
    """The groups of ``by`` with the channels somebody has, and why their order is another; ``hours`` are the night's, when it is night."""
    usable = _usable(by, channels)
    tried = voice_first(usable) if hours else usable
    return tried, f"night {hours}: voice before sms" if tried != usable else ""


@lru_cache(_KEPT)
def _usable(by: Groups, channels: tuple[str, ...]) -> Groups:
    """The groups of ``by`` with the channels somebody has; empty groups are gone."""
    return tuple(group for group in (tuple(c for c in g if c in channels) for g in by) if group)


@lru_cache(_KEPT)
def voice_first(groups: Groups) -> Groups:
    """A call before the first text, where it would come after it; together with a text it stays where it is. All else keeps its order."""
    text = next((n for n, group in enumerate(groups) if SMS in group), None)
    call = next((n for n, group in enumerate(groups) if VOICE in group), None)
    if text is None or call is None or call <= text:
        return groups
    rest = [tuple(channel for channel in group if channel != VOICE) for group in groups]
    return tuple(group for group in (*rest[:text], (VOICE,), *rest[text:]) if group)
