"""The duty officer: writes answers down on behalf of villages, opens incidents and proposes warnings that will be refused.

He insists until the engine has taken each.

What he noted is a ledger of its own: the words for which the engine said that they are on disk.
"""

import contextlib
import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

from tests.faults.acting import Acting
from tests.faults.deployment import EXERCISED

PAUSE_S = 1.2
ANSWER_S = 4.0
INCIDENT_EVERY, PROPOSAL_EVERY = 4, 5
#: What he gives as the reason of a warning that nobody may hear of.
REFUSED = "no-such-flood"
TAKEN = {httpx.codes.CREATED, httpx.codes.NO_CONTENT}


@dataclass
class Officer(Acting):
    """Runs in a thread of its own. ``taken`` grows while it does: each word was in a request that was answered with success."""

    url: str
    headers: Mapping[str, str]
    chance: random.Random
    taken: set[str] = field(default_factory=set)

    def act(self) -> None:
        with httpx.Client(base_url=f"{self.url}/api/v1", headers=dict(self.headers), timeout=ANSWER_S) as client:
            number = 0
            while not self.stopping.wait(PAUSE_S):
                number += 1
                if number % PROPOSAL_EVERY == 0:
                    self._propose(client)
                self._act(client, f"word-{number}", incident=number % INCIDENT_EVERY == 0)

    def _propose(self, client: httpx.Client) -> None:
        """A warning of his own, which waits until another officer says no; said once, since twice would be two."""
        said = {"hazard": "river-flood", "grade": "red", "areas": [self.chance.choice(EXERCISED)], "hours": 6}
        with contextlib.suppress(httpx.TransportError):
            client.post("/warnings", json=said | {"reason_zh": REFUSED, "reason_en": REFUSED})

    def _act(self, client: httpx.Client, word: str, *, incident: bool) -> None:
        if incident:
            self._insist(client, "/incidents", {"title": word, "level": "orange", "origin": "hand"}, word)
            return
        notice = self._someone_open(client)
        if notice:
            said = {"action": "received", "heard_by": "radio", "heard_from": word}
            self._insist(client, f"/notices/{notice}/answers", said, word)

    def _someone_open(self, client: httpx.Client) -> str:
        try:
            listed = client.get("/notices", params={"limit": 100})
        except httpx.TransportError:
            return ""
        found = listed.json()["items"] if listed.status_code == httpx.codes.OK else []
        asked = [notice["id"] for notice in found if notice["purpose"] == "warn" and notice["state"] == "calling"]
        return str(self.chance.choice(asked)) if asked else ""

    def _insist(self, client: httpx.Client, path: str, said: Mapping[str, Any], word: str) -> None:
        """Say the same until it is answered; what was not answered may have been taken, too, and is said again."""
        while not self.stopping.is_set():
            try:
                status = client.post(path, json=said).status_code
            except httpx.TransportError:
                status = httpx.codes.SERVICE_UNAVAILABLE
            if status in TAKEN:
                self.taken.add(word)
            if status < httpx.codes.INTERNAL_SERVER_ERROR and status != httpx.codes.TOO_MANY_REQUESTS:
                return
            self.stopping.wait(0.3)
