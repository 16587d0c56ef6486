"""The storms of a county: files of its directory ``drills``.

Recordings (``*.csv``, as the demonstration replays them) and the feeds of rule tests (``*.scenario.yaml``) on the county's own stations.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from dispatcher.drills.script import FASTEST, Script, script_of
from dispatcher.errors import NotAllowed
from dispatcher.intake.catalogue import Catalogue
from dispatcher.intake.decode import Limits, decode
from dispatcher.ports import Item
from rules.errors import RuleErrors
from rules.plan import Plan
from rules.reading import Reading
from rules.scenario_text import SUFFIX, read_scenarios

DIRECTORY = "drills"
MOST = 200_000
_LIMITS = Limits(body_bytes=32 << 20, items=MOST)
_SHOWN = 3


@dataclass(frozen=True, slots=True)
class AtWork:
    """What decides in earnest, for a drill to decide by: the plan of rules, and what the stations of the county report."""

    plan: Plan
    catalogue: Catalogue


@dataclass(frozen=True, slots=True)
class Storms:
    """``directory`` need not exist; ``at_work`` gives the rules as they are now."""

    directory: Path
    at_work: Callable[[], AtWork]

    def names(self) -> list[str]:
        """What may be named: a recording by its file, a test by its file, a colon and its name. Files with mistakes are left out."""
        found = [path.name for path in sorted(self.directory.glob("*.csv"))]
        for path in sorted(self.directory.glob(f"*{SUFFIX}")):
            try:
                found += [f"{path.name}:{test.name}" for test in read_scenarios(path.name, path.read_text(encoding="utf-8"))]
            except (RuleErrors, OSError, UnicodeDecodeError):
                continue
        return found

    def read(self, name: str, speed: float) -> Script:
        """One of them; NotAllowed says what is wrong with it."""
        if not 1.0 <= speed <= FASTEST:
            raise NotAllowed(f"a storm is played at 1 to {FASTEST:.0f} times its speed", f"回放速度须为1至{FASTEST:.0f}倍")
        readings = self._readings(name)
        known = {(s, v) for s, v in self.at_work().catalogue.known}
        strange = sorted({r.station for r in readings if (r.station, r.variable) not in known})
        if strange:
            shown = ", ".join(strange[:_SHOWN])
            raise NotAllowed(f"the storm has readings of stations or variables that are not ours: {shown}", f"脚本含非本县测站：{shown}")
        if not readings or len(readings) > MOST:
            raise NotAllowed(f"a storm has between 1 and {MOST:,} readings, this one {len(readings):,}", "脚本没有数据，或数据过多")
        return script_of(name, readings, speed)

    def _readings(self, name: str) -> Sequence[Reading]:
        file, _, test = name.partition(":")
        path = self.directory / file
        if path.parent != self.directory or not path.is_file() or name not in self.names():
            there = ", ".join(self.names()) or "none"
            raise NotAllowed(f"there is no storm {name!r} in {DIRECTORY}/; there are: {there}", f"没有脚本 {name}")
        if test:
            scenarios: Mapping[str, Sequence[Reading]] = {
                one.name: [a.reading for a in one.arrivals] for one in read_scenarios(file, path.read_text(encoding="utf-8"))
            }
            return scenarios[test]
        found = decode(Item(path.read_bytes(), file), self.at_work().catalogue, _LIMITS)
        if found.rejects:
            raise NotAllowed(f"{file}: {found.rejects[0].message}", f"{file} 有误：{found.rejects[0].message}")
        return found.readings
