"""Work on stations is announced in a table, and reaches the plan that the engine keeps."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from dispatcher.errors import ConfigurationError
from dispatcher.intake.basis import basis_of, compile_stored, compiled_with
from dispatcher.registry.load import load_registry
from dispatcher.registry.model import Registry
from dispatcher.registry.places import places_of
from rules.parse import parse_rules
from rules.plan import compile_rules
from tests.registry.tables import GOOD
from tests.rules.making import RAIN

HEAD = "station,from,to,note\n"
MORNING = (int(datetime(2026, 7, 20, 1, tzinfo=UTC).timestamp()), int(datetime(2026, 7, 20, 3, 30, tzinfo=UTC).timestamp()))


def county(folder: Path, rows: str) -> Registry:
    for name, text in (GOOD | {"maintenance.csv": HEAD + rows}).items():
        (folder / name).write_text(text, encoding="utf-8")
    return load_registry(folder)


@pytest.mark.parametrize(
    "times",
    [
        pytest.param("2026-07-20T09:00,2026-07-20T11:30", id="local"),
        pytest.param("2026-07-20 09:00,2026-07-20 11:30", id="with a space, as Excel writes it"),
        pytest.param("2026-07-20T01:00Z,2026-07-20T13:30+10:00", id="with offsets"),
    ],
)
def test_times_are_local_or_carry_their_offset(tmp_path: Path, times: str) -> None:
    places = {p.id: p for p in places_of(county(tmp_path, f"R1,{times},清洗\n"))}
    assert places["R1"].maintenance == (MORNING,)
    assert places["Z1"].maintenance == ()


def test_it_is_part_of_what_a_restart_compiles_again(tmp_path: Path) -> None:
    registry = county(tmp_path, "R1,2026-07-20T09:00,2026-07-20T11:30,\nR1,2026-06-20T09:00,2026-06-20T11:30,\n")
    basis = basis_of({"rain.yaml": RAIN}, registry)
    made = compiled_with(basis, compile_rules(parse_rules(basis.rules), basis.places))
    (series,) = compile_stored(made.packed).plan.series
    assert series.maintenance[-1] == MORNING
    assert len(series.maintenance) == 2
    without = basis_of({"rain.yaml": RAIN}, county(tmp_path, ""))
    assert compiled_with(without, made.plan).digest != made.digest


@pytest.mark.parametrize(
    ("row", "said"),
    [
        pytest.param("R9,2026-07-20T09:00,2026-07-20T11:30,", "maintenance.csv:2:1: station: 'R9' is not in stations.csv", id="station"),
        pytest.param("R1,morning,2026-07-20T11:30,", "maintenance.csv:2:4: from: bad time 'morning'; allowed: a local time", id="no time"),
        pytest.param("R1,2026-07-20T11:30,2026-07-20T09:00,", "csv:2:21: to: '2026-07-20T09:00' is not within 31 days", id="turned"),
        pytest.param("R1,2026-07-20T09:00,2027-07-20T11:30,", "is not within 31 days after '2026-07-20T09:00'", id="a slip of the year"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_with_its_place(tmp_path: Path, row: str, said: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        county(tmp_path, row + "\n")
    assert said in str(caught.value)


def test_one_work_is_announced_once(tmp_path: Path) -> None:
    row = "R1,2026-07-20T09:00,2026-07-20T11:30,\n"
    with pytest.raises(ConfigurationError, match="given twice; first in line 2"):
        county(tmp_path, row + row)
