"""Two officers who release what needs two people: each agrees, for himself, and insists until the engine has answered.

Of every other proposal they wait until they are called about it. What a person proposes is refused. Meanwhile they call the roll.

What they noted is a ledger of its own: what each was about to agree to and when, and whether the engine said that it is on disk. To what
an officer was told that his word is kept he does not give it again, so that a word that is lost stays lost.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import httpx

from tests.faults.acting import Acting

PAUSE_S = 0.4
APPROVE, OVERRIDE, SECOND = "approve", "override", "nobody else can be had"
#: Of so many proposals about which they must be called one is released by the first officer alone.
ALONE_EVERY = 4
#: How many roll calls they are sure to have made.
ROLL_CALLS = 3
ANSWER_S = 6.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """One officer agrees to one entry of a proposal, alone or not, or refuses (``act``) all of it.

    ``at`` is before the request left; ``taken``: it was answered with success.
    """

    person: str
    proposal: str
    hash: str
    digest: str
    village: str
    grade: str
    status: str
    at: datetime
    taken: bool
    act: str = APPROVE

    @property
    def voices(self) -> frozenset[str]:
        """Who agrees by it: with an override also the second person, who cannot be had."""
        return frozenset({APPROVE: {self.person}, OVERRIDE: {self.person, SECOND}}.get(self.act, set()))


@dataclass
class Releasers(Acting):
    """Runs in a thread of its own; ``words`` and ``roll_calls`` (their ids) grow while it does.

    ``headers`` are those of each officer, ``now`` is the recording's.
    """

    url: str
    headers: Mapping[str, Mapping[str, str]]
    hazard: str
    now: Callable[[], datetime]
    words: list[Word] = field(default_factory=list)
    roll_calls: set[str] = field(default_factory=set)
    _answered: set[tuple[str, str, str]] = field(default_factory=set)

    def act(self) -> None:
        with httpx.Client(base_url=f"{self.url}/api/v1", timeout=ANSWER_S) as client:
            while not self.stopping.wait(PAUSE_S):
                if len(self.roll_calls) < ROLL_CALLS:
                    self._call_roll(client, next(iter(self.headers.values())))
                for person, headers in self.headers.items():
                    self._look(client, person, headers)

    def _call_roll(self, client: httpx.Client, headers: Mapping[str, str]) -> None:
        """Ask who is there; each time that no answer came is asked again, and may have been one more."""
        made = _sent(client, "/roll-calls", {"within_minutes": 30}, headers)
        if made is not None and made.status_code == httpx.codes.CREATED:
            self.roll_calls.add(made.json()["id"])

    def _look(self, client: httpx.Client, person: str, headers: Mapping[str, str]) -> None:
        listed = _got(client, "/proposals?waiting=true", headers).get("items", ())
        for one in listed:
            if one["proposer"]:
                self._refuse(client, person, headers, one)
            elif one["hazard"] == self.hazard and (one["paged"] or one["seq"] % 2) and not self.stopping.is_set():
                alone = one["seq"] % ALONE_EVERY == 0
                if not alone or person == next(iter(self.headers)):
                    self._agree(client, person, headers, _got(client, f"/proposals/{one['id']}", headers), alone=alone)

    def _refuse(self, client: httpx.Client, person: str, headers: Mapping[str, str], one: Mapping[str, Any]) -> None:
        at = self.now()
        status = _posted(client, f"/proposals/{one['id']}/refuse", {"hash": one["hash"], "note": "nothing of the kind"}, headers)
        named = {"digest": "", "village": "", "grade": str(one["grade"]), "status": one["status"], "hash": one["hash"], "at": at}
        self.words.append(Word(person=person, proposal=one["id"], taken=status == httpx.codes.OK, act="refuse", **named))

    def _agree(self, client: httpx.Client, person: str, headers: Mapping[str, str], seen: Mapping[str, Any], *, alone: bool) -> None:
        mine = [entry for entry in seen.get("entries", ()) if entry["release"] == "two_person"]
        new = [entry for entry in mine if (person, seen["id"], entry["digest"]) not in self._answered]
        if not new:
            return
        at = self.now()
        said = {"hash": seen["hash"], "villages": sorted({e["village"] for e in new}), "override": alone}
        status = _posted(client, f"/proposals/{seen['id']}/approve", said, headers)
        for entry in new:
            named = {name: str(entry[name]) for name in ("digest", "village", "grade")}
            taken = status == httpx.codes.OK
            word = Word(person=person, proposal=seen["id"], hash=seen["hash"], status=seen["status"], at=at, taken=taken, **named)
            self.words.append(replace(word, act=OVERRIDE) if alone else word)
            if taken or status == httpx.codes.CONFLICT:
                self._answered.add((person, seen["id"], entry["digest"]))


def _got(client: httpx.Client, path: str, headers: Mapping[str, str]) -> dict[str, Any]:
    """Nothing when the engine is away or busy."""
    try:
        answer = client.get(path, headers=dict(headers))
    except httpx.TransportError:
        return {}
    return dict(answer.json()) if answer.status_code == httpx.codes.OK else {}


def _posted(client: httpx.Client, path: str, said: Mapping[str, Any], headers: Mapping[str, str]) -> int:
    """The status; 503 when nobody answered."""
    answer = _sent(client, path, said, headers)
    return httpx.codes.SERVICE_UNAVAILABLE if answer is None else answer.status_code


def _sent(client: httpx.Client, path: str, said: Mapping[str, Any], headers: Mapping[str, str]) -> httpx.Response | None:
    """None when nobody answered, which may mean that it was taken."""
    try:
        return client.post(path, json=said, headers=dict(headers))
    except httpx.TransportError:
        return None
