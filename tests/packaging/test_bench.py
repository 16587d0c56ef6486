"""``make bench`` finds what can be measured, without measuring it here."""

from pathlib import Path

import pytest

from bench import __main__ as bench


@pytest.fixture
def found(tmp_path: Path) -> dict[str, Path]:
    for name in ("rules_first", "dispatch_10k", "start_10k"):
        (tmp_path / f"{name}.py").write_text('figure("rules.first", [1.0], "s", 1, "")\nif __name__ == "__main__":\n    main()\n')
    (tmp_path / "gauges.py").write_text('if __name__ == "__main__":\n    publish()\n')
    (tmp_path / "workload.py").write_text("ROWS = 10\n")
    return bench.benchmarks(tmp_path)


def test_a_file_that_can_be_run_and_prints_figures_is_a_benchmark_and_no_other(found: dict[str, Path]) -> None:
    assert set(found) == {"rules.first", "dispatch.10k", "start.10k"}


@pytest.mark.parametrize(
    ("prefix", "names"),
    [
        pytest.param("", {"rules.first", "dispatch.10k", "start.10k"}, id="all"),
        pytest.param("rules", {"rules.first"}, id="a family"),
        pytest.param("dispatch.10k.committed_s", {"dispatch.10k"}, id="one figure"),
        pytest.param("weather", set(), id="none"),
    ],
)
def test_a_prefix_chooses_the_benchmarks_that_have_such_figures(found: dict[str, Path], prefix: str, names: set[str]) -> None:
    assert set(bench.chosen(found, prefix)) == names


def test_only_the_figures_that_were_asked_for_are_printed() -> None:
    output = 'warming up\n{"bench":"dispatch.10k.committed_s","value":4}\n{"bench":"dispatch.10k.accepted_s","value":9}\n'
    assert bench.figures(output, "dispatch.10k.acc") == ['{"bench":"dispatch.10k.accepted_s","value":9}']


def test_a_prefix_that_chooses_nothing_says_what_there_is(capsys: pytest.CaptureFixture[str]) -> None:
    assert bench.main("weather") == 2
    assert "rules.first" in capsys.readouterr().err
