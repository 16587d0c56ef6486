"""The duty room as a channel: what is committed is on its page, so it is delivered."""

from dispatcher.ports import DeliveryState, Message, Receipt


class DutyRoom:
    """Shows every notice; the page reads the store."""

    name = "duty_room"

    async def send(self, message: Message) -> Receipt:
        """It stands on the page already."""
        return Receipt(delivery=message.delivery, state=DeliveryState.DELIVERED)

    async def close(self) -> None:
        """Nothing is open."""
