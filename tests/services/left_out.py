"""Tests that cannot run here are left out by group, and the end of the run names each group with its reason.

With ``--left-out-list FILE`` the run fails when a group is left out that the file does not list.
"""

from collections import Counter
from pathlib import Path
from typing import NoReturn

import pytest

PREFIX = "left out: "


def leave_out(group: str, reason: str) -> NoReturn:
    """Skip this test as one of a group, e.g. ``leave_out("kafka", "no java on the path")``."""
    pytest.skip(f"{PREFIX}{group}: {reason}")


def group_of(reason: str) -> tuple[str, str]:
    """Group and reason of a skip; a skip that names no group is a group of its own kind, so that it cannot hide."""
    words = reason.removeprefix("Skipped: ")
    if words.startswith(PREFIX):
        group, _, why = words.removeprefix(PREFIX).partition(": ")
        return group, why
    return "unnamed", words


def listed(text: str) -> frozenset[str]:
    """Groups of a list: one a line, ``group: reason``; a line without a reason is an error."""
    groups = set()
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip() or line.startswith("#"):
            continue
        group, colon, reason = line.partition(":")
        if not (colon and reason.strip()):
            message = f"line {number} of the left-out list is {line!r}; allowed: 'group: reason'"
            raise pytest.UsageError(message)
        groups.add(group.strip())
    return frozenset(groups)


def skips(config: pytest.Config) -> Counter[tuple[str, str]]:
    """How many tests were left out for each (group, reason)."""
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    reports = reporter.stats.get("skipped", []) if reporter else []
    return Counter(group_of(r.longrepr[2]) for r in reports if isinstance(r.longrepr, tuple) and not hasattr(r, "wasxfail"))


def unlisted(config: pytest.Config) -> list[str]:
    """Groups that were left out though the list does not allow it; none when there is no list."""
    path: Path | None = config.getoption("left_out_list")
    if path is None:
        return []
    allowed = listed(path.read_text(encoding="utf-8"))
    return sorted({group for group, _ in skips(config)} - allowed)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--left-out-list", type=Path, default=None, help="file of the groups that may be left out; any other fails the run")


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    if unlisted(session.config) and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    found = skips(config)
    if found:
        terminalreporter.section("left out")
    for (group, reason), count in sorted(found.items()):
        terminalreporter.line(f"{group}: {reason} ({count} test{'s' if count > 1 else ''})")
    for group in unlisted(config):
        terminalreporter.line(f"FAILED: {group!r} was left out but is not in {config.getoption('left_out_list')}", red=True)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Under xdist every test that needs Kafka goes to one worker, so that one Kafka is started and not one for each."""
    for item in items:
        if "kafka" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.xdist_group("kafka"))
