"""MQTT's bytes cut into packets, without a broker. Packets are made here by the standard's words and not by our code."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.sources.mqtt_frames import Frames, Malformed, Message, acknowledgements

MOST = 200


def packet(first: int, rest: bytes) -> bytes:
    """Fixed header, remaining length, the rest (MQTT 5, 2.1)."""
    length, digits = len(rest), b""
    while True:
        length, digit = divmod(length, 128)
        digits += bytes((digit | (128 if length else 0),))
        if not length:
            return bytes((first,)) + digits + rest


def publish(message: Message, *, version5: bool) -> bytes:
    """A PUBLISH (MQTT 5, 3.3); with MQTT 5 it has a user property."""
    rest = len(message.topic).to_bytes(2, "big") + message.topic
    rest += message.mid.to_bytes(2, "big") if message.qos else b""
    rest += b"\x07\x26\x00\x01a\x00\x01b" if version5 else b""
    return packet(0x30 | message.qos << 1, rest + message.body)


messages = st.builds(
    lambda topic, body, qos, mid: Message(topic, body, mid if qos else 0, qos),
    st.binary(min_size=1, max_size=20),
    st.binary(max_size=MOST),
    st.integers(0, 2),
    st.integers(1, 65_535),
)


@given(st.data(), st.booleans(), st.lists(st.one_of(messages, st.just(None)), max_size=12))
def test_however_the_bytes_are_cut_the_packets_are_the_same(data: st.DataObject, version5: bool, sent: list[Message | None]) -> None:  # noqa: FBT001
    other = b"\xd0\x00"  # PINGRESP
    stream = b"".join(publish(m, version5=version5) if m else other for m in sent)
    frames = Frames(version5=version5, most_bytes=MOST)
    got: list[Message] = []
    others = b""
    while stream:
        n = data.draw(st.integers(1, len(stream)))
        some, rest = frames.feed(stream[:n])
        got, others, stream = got + some, others + rest, stream[n:]
    assert got == [m for m in sent if m]
    assert others == other * sent.count(None)


@pytest.mark.parametrize("piece", [1_000, 65_536, 1_000_000])
@pytest.mark.parametrize("version5", [False, True])
def test_of_a_large_message_the_beginning_is_kept_and_memory_is_bounded(version5: bool, piece: int) -> None:  # noqa: FBT001
    large, next_one = Message(b"t", b"x" * 3_000_000, 7, 1), Message(b"t", b"y", 8, 1)
    stream = publish(large, version5=version5) + publish(next_one, version5=version5)
    frames = Frames(version5=version5, most_bytes=MOST)
    got: list[Message] = []
    for n in range(0, len(stream), piece):
        got += frames.feed(stream[n : n + piece])[0]
        assert len(frames._rest) <= MOST + 70_000 + piece
    assert got == [large._replace(body=b"x" * (MOST + 1)), next_one]


@pytest.mark.parametrize(
    "bytes_",
    [
        pytest.param(b"\x32\xff\xff\xff\xff\x01", id="a length of five bytes"),
        pytest.param(b"\x30\x02\x00\x09", id="a topic longer than its packet"),
        pytest.param(b"\x32\x03\x00\x01t", id="no identifier"),
        pytest.param(b"\x36\x05\x00\x01t\x00\x01", id="QoS 3"),
        pytest.param(b"\x90\xff\xff\x7f" + b"\x00" * 80_000, id="a large packet that is no message"),
    ],
)
def test_what_is_not_mqtt_is_malformed(bytes_: bytes) -> None:
    with pytest.raises(Malformed):
        Frames(version5=False, most_bytes=MOST).feed(bytes_)


@given(st.lists(st.binary(max_size=300), max_size=10), st.booleans())
def test_any_bytes_are_packets_or_malformed_and_nothing_else(pieces: list[bytes], version5: bool) -> None:  # noqa: FBT001
    frames = Frames(version5=version5, most_bytes=MOST)
    try:
        for piece in pieces:
            frames.feed(piece)
    except Malformed:
        pass


def test_qos_1_is_acknowledged_by_puback_and_qos_2_by_pubrec() -> None:
    assert acknowledgements([(1, 1), (258, 2), (0, 0)]) == b"\x40\x02\x00\x01\x50\x02\x01\x02"
