from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from dispatcher.errors import UnknownOutcome
from dispatcher.ports import DeliveryState, Message, Receipt
from rules.grade import Grade
from tests.dispatch.making import change
from tests.dispatch.running import Ledger, running

WARDEN3 = "+447700900043"


@dataclass
class ByText(Ledger):
    """A gateway that can only be asked by number and text, newest first, as real ones are."""

    async def find(self, message: Message, since: datetime) -> Receipt | None:  # noqa: ARG002 - everything is kept
        for number, m in reversed(list(enumerate(self.arrived, 1))):
            if (m.address, m.text) == (message.address, message.text):
                return Receipt(delivery=message.delivery, state=DeliveryState.SENT, reference=f"ref-{number}")
        return None


async def test_a_repeat_of_unknown_outcome_is_not_taken_for_sent_because_the_text_before_it_reads_the_same(tmp_path: Path) -> None:
    sms = ByText()
    async with running(tmp_path / "d.db", sms=sms) as engine:
        await engine.change(change(Grade.RED, "G3"))
        await engine.send()
        assert len(sms.told(WARDEN3)) == 1
        sms.troubles[WARDEN3] = [UnknownOutcome("timeout", "no answer")]
        for _ in range(24):
            await engine.later(timedelta(seconds=10))
        repeats = [d for d in await engine.deliveries(WARDEN3) if d.repeat]
        arrived = {m.delivery for m in sms.arrived}
        assert repeats
        assert repeats[0].possible_duplicate
        assert {d.id for d in repeats if d.state is not DeliveryState.PLANNED} <= arrived
