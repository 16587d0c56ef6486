"""Bodies of bulk requests: read no further than their limit, also when they come compressed."""

import zlib
from typing import Final

from starlette.requests import Request

from dispatcher.web.problems import Problem
from dispatcher.web.security import BULK_LIMIT, TooLarge, announced_bytes, too_large

_EXCERPT: Final = 256
_GZIP: Final = zlib.MAX_WBITS | 16
_GZIP_NAMES: Final = frozenset({"gzip", "x-gzip"})


async def bulk_body(request: Request) -> bytes:
    """The body as it is meant. TooLarge carries what came before the limit; other Problems say what cannot be read."""
    announced = announced_bytes(request.scope)
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    if encoding != "identity" and encoding not in _GZIP_NAMES:
        raise Problem(415, f"Content-Encoding {encoding[:40]!r} is not read here; allowed: gzip, identity.", {"Accept-Encoding": "gzip"})
    taken = _Unzipped() if encoding in _GZIP_NAMES else _Plain()
    try:
        async for chunk in request.stream():
            taken.add(chunk)
            if announced > BULK_LIMIT or len(taken.body) > BULK_LIMIT:
                raise too_large(BULK_LIMIT)  # after its first part, which tells whose it is
    except TooLarge as refusal:
        refusal.beginning = bytes(taken.body[:_EXCERPT]) or refusal.beginning
        raise
    return taken.whole()


class _Plain:
    """As it comes."""

    def __init__(self) -> None:
        self.body = bytearray()

    def add(self, chunk: bytes) -> None:
        self.body += chunk

    def whole(self) -> bytes:
        return bytes(self.body)


class _Unzipped(_Plain):
    """One or more gzip members, unpacked no further than one byte over the limit, whatever they claim to hold."""

    def __init__(self) -> None:
        super().__init__()
        self._member = zlib.decompressobj(_GZIP)

    def add(self, chunk: bytes) -> None:
        while chunk and len(self.body) <= BULK_LIMIT:
            if self._member.eof:
                self._member = zlib.decompressobj(_GZIP)
            try:
                self.body += self._member.decompress(chunk, BULK_LIMIT + 1 - len(self.body))
            except zlib.error as error:
                raise Problem(400, f"The body is announced as gzip and is none: {error}.") from None
            chunk = self._member.unused_data or self._member.unconsumed_tail

    def whole(self) -> bytes:
        if not self._member.eof:
            raise Problem(400, "The gzip body ends before its end; nothing of it was used.")
        return bytes(self.body)
