"""Mutated rule files, tables, scenarios and series over the loader, the compiler and the engine: a clear error or a rule that runs.

``python -m bench.fuzz_rules --minutes 10 [--seed N]`` prints its seed first and one JSON line at the end; it ends with 1 when a promise
was broken, with seed and number: ``--seed N --first K --inputs 1`` repeats one. The decoders have a fuzz of their own (fuzz_codecs).
"""

import argparse
import json
import resource
import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from random import Random

from dispatcher.rulework.packs import Pack, packs_of
from rules.engine import Engine
from rules.errors import RuleErrors
from rules.feed_text import steps
from rules.model import RuleSet
from rules.parse import parse_rules
from rules.place import Place
from rules.plan import compile_rules
from rules.reading import Reading
from rules.scenario_text import read_scenarios

SLOW_S = 5.0
"""No input of these sizes may take the processor for longer; most take a hundredth."""

_NOW = datetime(2026, 7, 20, tzinfo=UTC)
_MIB = 1024.0
_LONG = 200_000
ATTACKS = (
    "__import__('os').system('true')", "z.__class__", "().__class__.__bases__[0]", "9**9**9**9", "1 << 99999999", "lambda: 1",
    "[x for x in z]", "z if z else 1", "eval('1')", "open('/etc/passwd')", "(" * 500 + "z" + ")" * 500,
    "not " * 3_000 + "z > 1", "z" + " + z" * 5_000,
    "-" * 5_000 + "z > 1", "f'{z}'", "z := 1", "{**z}", "z[0]", "'a' * 999999999", "z > 1e999", "z > nan", "z\x00> 1", "９ > z",
    "sum(rain, 999999999d)", "sum(rain, -3h)", "latest(level, max_age=1h, max_age=2h)", "count(sum(rain, 1h) >= 1e400)",
)  # fmt: skip
_YAML = (
    "&a [*a]", "!!python/object/apply:os.system ['true']", "{<<: *x}", "? [a]", "!!binary aGk=", "0o17", "1e9999", ".nan", "-.inf", "~",
    "yes", "2024-07-01", "'", '"', "{", "[", "|\n  x", "\t", "\x00", "\ufeff", "\u2028", "😀", "a: b: c", "<<", "- -", "*none", "&x 1",
    "%YAML 9.9",
)  # fmt: skip
_NUMBERS = (
    "0",
    "-1",
    "1e309",
    "999999999999999999999",
    "0.0000001",
    "1h",
    "3",
    "-0",
    "1e-320",
    "null",
    "0x1f",
    "1_000",
    "z > 1_0",
    "z > 0x10",
    "٣",
    "",
)

_AMOUNTS = (0.0, 1.0, 35.0, 1e9, -1e9, float("nan"), float("inf"))


class Broken(Exception):
    """A promise was not kept."""


@dataclass
class Tally:
    """What was tried and what became of it."""

    seed: int
    inputs: int = 0
    good: int = 0
    ran: int = 0
    refused: int = 0
    slowest_s: float = 0.0
    sizes: Counter[str] = field(default_factory=Counter)


@cache
def packs() -> tuple[Pack, ...]:
    """The packs that are shipped: what is mutated."""
    return tuple(packs_of([]))


def fuzz(seed: int, inputs: int, *, first: int = 0, until_s: float = float("inf")) -> Tally:
    """Try so many inputs, or until a time of the monotonic clock; Broken names the first promise that was not kept."""
    tally = Tally(seed)
    for number in range(first, first + inputs):
        if time.monotonic() > until_s:
            break
        began = time.process_time()
        chance = Random(seed * 1_000_003 + number)
        try:
            _one(chance, tally)
        except Broken as broken:
            raise Broken(f"--seed {seed} --first {number} --inputs 1: {broken}") from broken
        except Exception as error:
            raise Broken(f"--seed {seed} --first {number} --inputs 1: {type(error).__name__}: {error}"[:500]) from error
        took_s = time.process_time() - began
        tally.slowest_s = max(tally.slowest_s, took_s)
        if took_s > SLOW_S:
            raise Broken(f"--seed {seed} --first {number} --inputs 1: took {took_s:.1f} s")
        tally.inputs += 1
    return tally


def _one(chance: Random, tally: Tally) -> None:
    pack = chance.choice(packs())
    if chance.random() < 0.2:
        _scenario(chance, pack, tally)
        return
    texts = dict(pack.texts)
    file = chance.choice(sorted(texts))
    texts[file] = mutated(texts[file], chance)
    try:
        parsed = parse_rules(texts)
    except RuleErrors as errors:
        _check(errors, texts)
        tally.refused += 1
        return
    tally.good += 1
    _run(parsed, chance, tally)


def _scenario(chance: Random, pack: Pack, tally: Tally) -> None:
    if chance.random() < 0.5 or not pack.scenarios:
        word = mutated("2x24 4@+40m 3! _x3 7?> 10+2x5 4>6@+30m 4^+2d", chance)[:2_000]
        try:
            steps(word)
        except ValueError:
            tally.refused += 1
            return
        tally.good += 1
        return
    file = chance.choice(sorted(pack.scenarios))
    text = mutated(pack.scenarios[file], chance)
    try:
        read_scenarios(file, text)
    except RuleErrors as errors:
        _check(errors, {file: text})
        tally.refused += 1
        return
    tally.good += 1


def _check(errors: RuleErrors, texts: Mapping[str, str]) -> None:
    """Every mistake stands in a file that there is, at a line and a column, and says something short enough to be read."""
    if not errors.errors:
        raise Broken("refused without a reason")
    for e in errors.errors:
        if e.file not in texts or e.line < 1 or e.column < 1 or not e.message or len(e.message) > 2_000:
            raise Broken(f"a mistake without its place or too long: {e!r:.300}")


def _run(parsed: RuleSet, chance: Random, tally: Tally) -> None:
    """A rule that is accepted compiles, or says why not; and then takes a few readings."""
    types = sorted({r.for_each for r in parsed.rules})
    variables = tuple(sorted({i.variable for r in parsed.rules for i in r.inputs if i.observed and i.variable}))
    places = [Place(f"P{n}", t, variables, 300, lat=26.0 + n / 100, lon=111.0, catchment="c") for n, t in enumerate(types * 2)]
    try:
        engine = Engine(compile_rules(parsed, places))
    except RuleErrors as errors:
        if not errors.errors:
            raise Broken("not compiled without a reason") from errors
        return
    base = int(_NOW.timestamp())
    for n in range(12):
        readings = [
            Reading(
                p.id, v, chance.choice((0.0, 1.0, 35.0, 1e9, -1e9, float("nan"), float("inf"))), base + 300 * n - chance.choice((0, 0, 900))
            )
            for p in places
            for v in variables
        ]
        engine.observe(readings, _NOW + timedelta(seconds=300 * n))
    engine.tick(_NOW + timedelta(days=2))
    engine.restore(engine.snapshot())
    tally.ran += 1


def mutated(text: str, chance: Random) -> str:
    """A text with a few things in it that nobody would write, or only somebody who means harm."""
    for _ in range(chance.choice((1, 1, 1, 2, 3))):
        text = chance.choice(_WAYS)(text, chance)
    return text


def _span(text: str, chance: Random) -> tuple[int, int]:
    start = chance.randrange(len(text) + 1)
    return start, min(len(text), start + chance.choice((0, 1, 2, 5, 20)))


def _insert(text: str, chance: Random) -> str:
    start, end = _span(text, chance)
    return text[:start] + chance.choice((*ATTACKS, *_YAML, *_NUMBERS)) + text[end:]


def _value(text: str, chance: Random) -> str:
    """Another value behind a colon: where expressions and numbers stand."""
    lines = text.split("\n")
    here = [n for n, line in enumerate(lines) if ": " in line]
    if here:
        n = chance.choice(here)
        lines[n] = lines[n].partition(": ")[0] + ": " + chance.choice((*ATTACKS, *_YAML, *_NUMBERS))
    return "\n".join(lines)


def _cut(text: str, chance: Random) -> str:
    start, end = sorted(chance.randrange(len(text) + 1) for _ in range(2))
    return text[:start] + text[end:]


def _again(text: str, chance: Random) -> str:
    lines = text.split("\n")
    n = chance.randrange(len(lines))
    return "\n".join([*lines[:n], *[lines[n]] * chance.choice((2, 3, 50)), *lines[n + 1 :]])


def _letters(text: str, chance: Random) -> str:
    start, end = _span(text, chance)
    return text[:start] + "".join(_letter(chance) for _ in range(4)) + text[end:]


def _letter(chance: Random) -> str:
    return chr(chance.choice((chance.randrange(32, 127), chance.randrange(0x110000))))


def _long(text: str, chance: Random) -> str:
    start, end = _span(text, chance)
    return (
        text[:start]
        + chance.choice(("9", "(", "z + ", "a", " ", "- ", "[", "{", '"')) * (_LONG if chance.random() < 0.02 else 2_000)
        + text[end:]
    )


def _swap(text: str, chance: Random) -> str:
    lines = text.split("\n")
    a, b = chance.randrange(len(lines)), chance.randrange(len(lines))
    lines[a], lines[b] = lines[b], lines[a]
    return "\n".join(lines)


_WAYS = (_insert, _value, _value, _value, _cut, _again, _letters, _long, _swap)


def main(arguments: Sequence[str]) -> int:
    """Run, print one JSON line; 1 when a promise was broken."""
    parser = argparse.ArgumentParser(prog="bench.fuzz_rules")
    parser.add_argument("--inputs", type=int, default=10**9)
    parser.add_argument("--minutes", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=time.time_ns() % 1_000_000_000)
    parser.add_argument("--first", type=int, default=0)
    given = parser.parse_args(arguments)
    sys.stderr.write(f"seed {given.seed}\n")
    began = time.monotonic()
    try:
        tally = fuzz(given.seed, given.inputs, first=given.first, until_s=began + 60 * given.minutes)
    except Broken as broken:
        sys.stderr.write(f"{broken}\n")
        return 1
    line = {
        "fuzz": "rules", "seed": tally.seed, "inputs": tally.inputs, "good": tally.good, "ran": tally.ran, "refused": tally.refused,
        "crashes": 0, "slowest_s": round(tally.slowest_s, 2), "seconds": round(time.monotonic() - began, 1),
        "peak_mib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / _MIB, 1),
    }  # fmt: skip
    print(json.dumps(line), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
