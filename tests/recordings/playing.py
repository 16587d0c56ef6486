"""A recording through rules: each reading arrives a second after it was taken, and silence is noticed in between."""

import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo
from pathlib import Path
from shutil import which

from dispatcher.files.recordings import RecordedReading, load_profile, read_recording
from dispatcher.intake.catalogue import CatalogueEntry, catalogue
from dispatcher.rulework.history import history_of
from rules.change import Change, Remark
from rules.engine import Engine
from rules.parse import parse_rules
from rules.place import Place
from rules.plan import compile_rules
from tests.services.left_out import leave_out

PROFILES = Path(__file__).resolve().parent / "profiles"
Rows = list[RecordedReading]


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """What a recording came to; ``zone`` is that of its profile."""

    changes: tuple[Change, ...]
    remarks: tuple[Remark, ...]
    zone: tzinfo

    def grades(self) -> list[str]:
        """Each change: day and local time of the reading, and the grade from then on."""
        return [f"{c.at.astimezone(self.zone):%m-%d %H:%M} {c.after.word}" for c in self.changes]

    def told(self, kind: str) -> int:
        """How often the duty room was told of something."""
        return sum(r.kind.value == kind for r in self.remarks)


def recorded(name: str, *files: Path) -> Rows:
    """The rows of files by the profile of this name."""
    profile = load_profile(PROFILES / f"{name}.yaml")
    return [row for file in files for row in read_recording(file, profile)]


def unpacked(archive: Path, folder: Path) -> Path:
    """The folder with what an archive holds; the test is left out where zstd is not there."""
    if which("tar") is None or which("zstd") is None:
        leave_out("recordings", f"no tar or no zstd to unpack {archive.name}")
    subprocess.run(["tar", "--zstd", "-xf", str(archive), "-C", str(folder)], check=True, timeout=60)
    return folder


def play(rows: Iterable[RecordedReading], name: str, rules: str, place: Place, tables: Mapping[str, str] | None = None) -> Played:
    """The rows of one place, decided as the program would have."""
    known = catalogue(
        CatalogueEntry(station=place.id, variable=v, kind="increment" if v == "rain" else "instant", interval_s=place.interval_s)
        for v in place.variables
    )
    own = sorted((r for r in rows if r["station"] == place.id and r["variable"] in place.variables), key=lambda r: _time(r["time"]))
    history = history_of(own, known)
    assert history.unusable == ()
    engine = Engine(compile_rules(parse_rules({"rules.yaml": rules, **(tables or {})}), [place]))
    changes: list[Change] = []
    remarks: list[Remark] = []
    for now, readings in history.batches:
        found = [engine.tick(due) for due in _dues(engine, now)]
        for one in (*found, engine.observe(readings, now)):
            changes.extend(one.changes)
            remarks.extend(one.remarks)
    return Played(changes=tuple(changes), remarks=tuple(remarks), zone=load_profile(PROFILES / f"{name}.yaml").timezone)


def _dues(engine: Engine, now: datetime) -> Iterable[datetime]:
    """The moments up to ``now`` at which the place would fall silent."""
    before = None
    while (due := engine.next_tick()) is not None and due <= now and due != before:
        before = due
        yield due


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)
