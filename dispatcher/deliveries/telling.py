"""A delivery as the message that a channel is asked to carry."""

from dispatcher.model.delivery import Delivery
from dispatcher.ports import Message


def message_of(delivery: Delivery) -> Message:
    """What the channel is asked to carry."""
    return Message(
        delivery=delivery.id,
        address=delivery.address,
        text=delivery.bundle or delivery.text,
        language=delivery.language,
        grade=delivery.grade,
        status=delivery.status,
        expires_at=delivery.expires_at,
        village=delivery.village,
        times=3 if delivery.channel == "loudspeaker" else 1,
    )
