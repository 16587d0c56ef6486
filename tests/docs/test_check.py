"""``dispatcher check`` looks at everything an operator writes, and says where."""

import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from dispatcher.cli.commands import app
from tests.docs.checkout import ROOT


@pytest.fixture
def county(tmp_path: Path) -> Path:
    """A copy of the sample county."""
    return Path(shutil.copytree(ROOT / "config" / "sample", tmp_path / "county"))


def _check(county: Path) -> tuple[int, str]:
    ran = CliRunner().invoke(app, ["check", "-c", str(county / "deployment.yaml")])
    return ran.exit_code, ran.output


def test_the_sample_county_is_right(county: Path) -> None:
    assert _check(county) == (0, "ok: Yunling County (云岭县): 40 villages, 16 stations, 145 contacts\n")


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        pytest.param(
            "adapter: sms", "adapter: smoke", "channels.sms: unknown adapter 'smoke'; there are: chat, loudspeaker, sms", id="adapter"
        ),
        pytest.param('sender: "+447700900000"', "sneder: x", "channels.sms: sneder: unknown setting; allowed: sender, base_url", id="name"),
        pytest.param("adapter: mqtt\n    port: 1883", "adapter: mqtt\n    port: 99999", "sources.mqtt: port: Input should be", id="value"),
    ],
)
def test_a_mistake_in_the_part_of_an_adapter_is_named_with_its_place(county: Path, before: str, after: str, said: str) -> None:
    file = county / "deployment.yaml"
    file.write_text(file.read_text(encoding="utf-8").replace(before, after), encoding="utf-8")
    code, output = _check(county)
    assert code == 1
    assert said in output
    assert str(file) in output


def test_a_mistake_in_a_table_is_named_by_a_path_that_can_be_opened(county: Path) -> None:
    table = county / "contacts.csv"
    table.write_text(table.read_text(encoding="utf-8").replace("village.head,", "village head,", 1), encoding="utf-8")
    code, output = _check(county)
    assert code == 1
    assert Path(output.split(":")[0]) == table
