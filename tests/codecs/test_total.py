"""Whatever the bytes, every codec gives an answer: nothing is raised, and what it refuses it can show."""

import json
import math
import random
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from dispatcher.intake.codecs.choose import SETTINGS, Decoding, built_in, codec_of
from dispatcher.intake.codecs.mapped import MappedSettings
from dispatcher.intake.codecs.sl651_frame import Frame, find_frames, write_frame
from dispatcher.intake.decode import Limits
from dispatcher.model.reject import Decoded
from dispatcher.ports import Item
from tests.codecs.making import COUNTY, HEAD, NOW, PLACE, frame, message, packets, text

MAPPED = MappedSettings.model_validate(
    {
        "each": "$.list[*]",
        "station": "@.id",
        "time": {"path": "@.t", "zone": "Asia/Shanghai"},
        "readings": [{"variable": "@.n", "value": "@.v", "unit": "@.u", "quality": "@.q", "kind": "@.k"}],
        "missing": [-1, "-"],
    }
)
CODECS = {**built_in(), "mapped": codec_of(MAPPED)}
DECODING = Decoding(COUNTY, Limits(items=500, rejects=20), CODECS)

words = st.sampled_from(["43112901", "43112901:rain", "rain", "mm", "m", "2026-07-20T08:05:00", "good", "-", "1e999", "\ud800"])
leaves = st.none() | st.booleans() | st.integers() | st.floats() | words | st.text(max_size=5)
names = st.sampled_from(["list", "id", "t", "n", "v", "u", "q", "k", "bn", "bt", "bu", "bv", "bver", "vs", "s", "x_"]) | st.text(max_size=3)
trees = st.recursive(leaves, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(names, inner, max_size=6), max_leaves=20)
shapes = trees | st.lists(st.dictionaries(names, leaves)) | st.fixed_dictionaries({"list": st.lists(st.dictionaries(names, leaves))})


def check(decoded: Decoded, body: bytes) -> None:
    assert decoded.readings or decoded.rejects or body
    for reject in decoded.rejects:
        reject.message.encode()
        assert len(reject.message) < 1000
        assert reject.size_bytes == len(body)
    for reading in decoded.readings:
        assert reading.station in COUNTY.stations
        assert math.isfinite(reading.value)


def decode_all(body: bytes) -> None:
    for name in CODECS:
        check(DECODING.decode(Item(body, "vendor/43112901/up", format=name), NOW), body)


def test_every_codec_is_tried_here() -> None:
    assert {"senml", "mapped", "sl651"} == set(SETTINGS) <= set(CODECS)


@given(st.binary(max_size=300))
@example(b"\x7e\x7e" * 2000)
@example(b"\x01" * 5000)
@example(b"[" * 5000)
@example(b'{"a":' * 5000)
@example(b'[{"n":"a","v":' + b"9" * 5000 + b"}]")
def test_any_bytes_are_answered(body: bytes) -> None:
    decode_all(body)


@given(shapes)
def test_any_json_is_answered(tree: Any) -> None:  # noqa: ANN401 - JSON
    decode_all(json.dumps(tree).encode())


@given(st.binary(max_size=120), st.sampled_from([0x30, 0x31, 0x32, 0x34, 0x38, 0x3A, 0x36, 0xE0]), st.booleans())
def test_any_body_of_a_good_frame_is_answered(rest: bytes, function: int, ours: bool) -> None:  # noqa: FBT001 - hypothesis gives it
    decode_all(write_frame(frame(HEAD + (PLACE if ours else b"") + rest, function)))


@given(
    st.lists(st.sampled_from(["ST", "TT", "DRP", "DRN05", "DRH00", "Z", "M", "-1.5", "0043112901", "ZT", "FF", "2607200805"])),
    st.booleans(),
)
def test_any_words_in_ascii_are_answered(rest: list[str], uniform: bool) -> None:  # noqa: FBT001 - hypothesis gives it
    decode_all(text(" ".join(rest) + " ", 0x31 if uniform else 0x32))


GOOD = [
    message("2219000005" + "392300010490" + "F460" + "05" * 12 + "452000000040" + "38121215", 0x34),
    message("0418000100" + "3923" + "00010490" * 4, 0x31),
    text("PN05 0.5 Z 10.490 DRP " + "05" * 12 + " "),
    b"".join(packets(HEAD + PLACE + bytes.fromhex("2219000005"), 7)),
    b'[{"bn":"43112901:","bt":1784505900,"n":"rain","u":"mm","v":1.2},{"n":"level","u":"m","t":300,"v":2}]',
    b'{"list":[{"id":"43112901","t":"2026-07-20 08:05","n":"rain","v":"1.2","u":"mm","q":"good"}]}',
]


@pytest.mark.parametrize("seed", range(6))
def test_mutated_messages_are_answered(seed: int) -> None:
    chance = random.Random(seed)
    for _ in range(400):
        body = bytearray(chance.choice(GOOD))
        for _ in range(chance.randint(1, 4)):
            at = chance.randrange(len(body) + 1)
            match chance.randrange(4):
                case 0:
                    body[at:at] = bytes([chance.randrange(256)])
                case 1:
                    del body[at : at + chance.randint(1, 9)]
                case 2:
                    body[at : at + 1] = bytes([chance.randrange(256)])
                case _:
                    body[at:at] = chance.choice(GOOD)[: chance.randint(1, 60)]
        decode_all(bytes(body))


@settings(max_examples=50)
@given(st.binary(max_size=200), st.sampled_from(GOOD[:4]), st.binary(max_size=50))
def test_no_byte_is_lost_between_frames(before: bytes, good: bytes, after: bytes) -> None:
    found = list(find_frames(before + good + after))
    assert b"".join(one.raw for one in found) == before + good + after
    assert all(write_frame(one) == one.raw for one in found if isinstance(one, Frame))


@pytest.mark.parametrize("unit", [b"\x7e\x7e", b"\x01", b"\x7e\x7e\x01\x00", GOOD[0][:14], GOOD[0][:-1], b"7E7E", b"[{},", b'"'])
def test_a_body_full_of_rubbish_does_not_take_long(unit: bytes) -> None:
    body = (unit * (1 << 20))[: 1 << 20]
    decode_all(body)  # the bound on the whole run of tests is the bound on this
