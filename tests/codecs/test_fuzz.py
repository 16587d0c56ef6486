"""The short mode of ``python -m bench.fuzz_codecs``, and that the fuzz sees what it looks for."""

import os
import time
from typing import Any

import pytest

from bench import fuzz_codecs
from bench.codec_seeds import SEEDS
from dispatcher.model.reject import RejectCode

INPUTS = 6_000


def test_thousands_of_random_and_mutated_inputs_break_no_codec() -> None:
    seed = int(os.environ.get("FUZZ_SEED", time.time_ns() % 1_000_000_000))
    print(f"FUZZ_SEED={seed}")  # noqa: T201 - shown when it fails
    tally = fuzz_codecs.fuzz(seed, INPUTS)
    assert tally.inputs == INPUTS
    assert set(tally.refused) == set(SEEDS)
    assert tally.codes[RejectCode.BAD_FIELD.value]
    assert tally.codes[RejectCode.BAD_CHECKSUM.value]


@pytest.mark.parametrize("name", sorted(SEEDS))
def test_what_mutations_begin_with_is_good(name: str) -> None:
    for body in SEEDS[name]:
        good, rejects = fuzz_codecs.codecs()[name](body)
        assert good, f"{body!r}: {[r.message for r in rejects]}"
        assert not rejects


def _raises(body: bytes) -> Any:  # noqa: ANN401 - never returns
    raise ZeroDivisionError


@pytest.mark.parametrize(("decode", "says"), [(_raises, "ZeroDivisionError"), (lambda _: (0, []), "left out in silence")])
def test_a_codec_that_raises_or_swallows_is_named_with_seed_block_and_bytes(
    monkeypatch: pytest.MonkeyPatch, decode: fuzz_codecs.Decode, says: str
) -> None:
    monkeypatch.setattr(fuzz_codecs, "codecs", lambda: dict.fromkeys(SEEDS, decode))
    with pytest.raises(fuzz_codecs.Broken, match=rf"cap: .*{says}.*seed 7, block 3, \d+ bytes: [0-9a-f]+"):
        fuzz_codecs.fuzz(7, 10, first=3, only="cap")


def test_a_block_is_the_same_each_time_it_is_drawn() -> None:
    first, again = (list(fuzz_codecs.blocks(5, 2_500, 4, ["json"])) for _ in range(2))
    assert first == again
    assert [len(bodies) for _, _, bodies in first] == [1000, 1000, 500]
    assert first[1:2] == list(fuzz_codecs.blocks(5, 1_000, 5, ["json"]))
