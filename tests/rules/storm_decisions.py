"""Seeded storms through the engine, decoder included; prints what was decided, so that two variants can be compared.

``python -m tests.rules.storm_decisions COUNT`` prints the variant, then one line per storm.
"""

import hashlib
import json
import random
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta

import rules
from dispatcher.intake.catalogue import CatalogueEntry, catalogue
from dispatcher.intake.deciding import decide
from dispatcher.intake.decode import decode
from dispatcher.ports import Item
from rules.place import Place
from tests.rules.making import LEVEL, LEVELS, RAIN, START, rain_engine

STEPS = 120
QUALITY = "quality: {range: [0, 30], spike: 12, stuck: 1h if > 0}"
RULES = (
    RAIN,
    RAIN.replace("quality: {range: [0, 30]}", QUALITY),
    RAIN.replace("raise: at_once", "raise: {yellow: 2 in a row}").replace("to: computed", "to: one_step"),
    RAIN.replace("for_each: rain_gauge", "for_each: slope").replace("sum(rain, 3h)", "sum(rain, 3h, take=second_highest)").replace(
        "sum(rain, 1h)", "sum(rain, 1h, take=highest)").replace("6h)", "6h, take=mean)").replace("24h)", "24h, take=lowest)"),
    LEVEL,
)  # fmt: skip
PLACES = (
    *(Place(f"S{n}", "rain_gauge", ("rain",), 300) for n in range(1, 4)),
    Place("Z1", "river_gauge", ("level",), 300),
    Place("H1", "slope", (), 300, members=("S1", "S2", "S3")),
)
KNOWN = catalogue(
    CatalogueEntry(station=p.id, variable=v, kind="increment" if v == "rain" else "instant", interval_s=300)
    for p in PLACES
    for v in p.variables
)


def storm(seed: int) -> Iterator[tuple[datetime, bytes]]:
    """(arrival, JSON lines): rain that comes and goes, with every kind of disorder."""
    chance = random.Random(seed)
    waiting: list[tuple[int, dict[str, object]]] = []
    for n in range(STEPS):
        strength = max(0.0, chance.gauss(0, 1) + (3 if n // 20 % 2 else -2))
        for p in PLACES[:4]:
            value = round(12 + strength + n / 60, 2) if p.id == "Z1" else round(strength * chance.choice((0, 1, 1, 2)), 1)
            fate = chance.choice(["good"] * 40 + ["missing", "late", "twice", "corrected", "off", "bad", "wild", "far"])
            at = START + timedelta(minutes=5 * n, seconds=chance.randint(-100, 100) if fate == "off" else 0)
            one: dict[str, object] = {"station": p.id, "variable": p.variables[0], "value": value, "unit": "m" if p.id == "Z1" else "mm"}
            one["time"] = (at + timedelta(days=2 if fate == "far" else 0)).isoformat()
            if fate == "bad":
                one["quality"] = "bad"
            if fate == "wild":
                one["value"] = 29 if p.id != "Z1" else 55
            if fate != "missing":
                waiting.append((n + (chance.randint(1, 12) if fate == "late" else 0), one))
            if fate in ("twice", "corrected"):
                waiting.append((n + chance.randint(1, 6), one | ({"value": value / 2} if fate == "corrected" else {})))
        now = START + timedelta(minutes=5 * n, seconds=100)
        ready = [one for due, one in waiting if due <= n]
        waiting = [w for w in waiting if w[0] > n]
        yield now, "\n".join(map(json.dumps, ready)).encode()


def decided(seed: int) -> str:
    """Everything that one storm makes of one rule, in short."""
    text = RULES[seed % len(RULES)]
    engine, found = rain_engine(text, PLACES, {"thresholds/river_levels.csv": LEVELS}), hashlib.sha256()
    changes = 0
    for n, (now, body) in enumerate(storm(seed)):
        found.update(repr(engine.tick(now - timedelta(seconds=30))).encode())
        decisions = decide(engine, [decode(Item(body, "storm"), KNOWN)], now)
        changes += len(decisions.changes)
        found.update(repr(decisions).encode())
        if n == STEPS // 2:
            engine, before = rain_engine(text, PLACES, {"thresholds/river_levels.csv": LEVELS}), engine
            engine.restore(before.snapshot())
            found.update(hashlib.sha256(before.snapshot()).digest())
    found.update(repr(engine.standing()).encode())
    return f"{seed} {changes} {found.hexdigest()}"


if __name__ == "__main__":
    sys.stdout.write(f"{'compiled' if rules.COMPILED else 'pure'}\n")
    for storm_seed in range(int(sys.argv[1])):
        sys.stdout.write(f"{decided(storm_seed)}\n")
