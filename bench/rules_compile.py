"""999 rules over 200,000 gauges, three of which concern each: ``rules.compile_s``, from the text of the rules to the plan."""

import gc

from bench.figure import figure
from bench.province import PARTS, STATIONS, places, rules
from bench.variants import cpu_s
from rules.parse import parse_rules
from rules.plan import compile_rules

COUNT = 999


def main() -> None:
    """Measure and print."""
    files, gauges = rules(COUNT, PARTS), places(STATIONS, COUNT // len(PARTS))
    gc.freeze()
    parsing, parsed = cpu_s(lambda: parse_rules(files))
    compiling, plan = cpu_s(lambda: compile_rules(parsed, gauges))
    assert len(plan.ladders) == STATIONS * len(PARTS)
    note = f"{COUNT} rules, {STATIONS} gauges, {len(plan.ladders)} ladders; processor time; {parsing:.1f} s of it to read the YAML"
    figure("rules.compile_s", [parsing + compiling], "s", STATIONS, note)


if __name__ == "__main__":
    main()
