"""Nobody can leave out tests without the run saying so."""

import pytest

PLUGIN = """\
pytest_plugins = ["tests.services.left_out"]
"""
TESTS = """\
import pytest
from tests.services.left_out import leave_out

def test_speakers_play():
    pass

def test_kafka_keeps_order():
    leave_out("kafka", "no java on the path")

def test_kafka_comes_back():
    leave_out("kafka", "no java on the path")
"""


@pytest.fixture
def suite(pytester: pytest.Pytester) -> pytest.Pytester:
    """A suite of three tests, two of which are left out."""
    pytester.makeconftest(PLUGIN)
    pytester.makepyfile(TESTS)
    pytester.makeini("[pytest]\nasyncio_default_fixture_loop_scope = function\n")
    return pytester


def test_the_end_of_a_run_names_each_group_left_out_with_its_reason(suite: pytest.Pytester) -> None:
    result = suite.runpytest_inprocess("-p", "no:cacheprovider")
    result.stdout.fnmatch_lines(["*left out*", "kafka: no java on the path (2 tests)"])
    assert result.ret == pytest.ExitCode.OK


def test_a_group_that_is_listed_may_be_left_out(suite: pytest.Pytester) -> None:
    listed = suite.makefile(".list", "# why\nkafka: no Java where CI runs\n")
    result = suite.runpytest_inprocess("-p", "no:cacheprovider", f"--left-out-list={listed}")
    assert result.ret == pytest.ExitCode.OK


def test_a_group_that_is_not_listed_fails_the_run_and_pytest_still_closes_it(suite: pytest.Pytester) -> None:
    listed = suite.makefile(".list", "postgres: its store comes later\n")
    result = suite.runpytest_inprocess("-p", "no:cacheprovider", f"--left-out-list={listed}")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["FAILED: 'kafka' was left out but is not in *", "*1 passed, 2 skipped*"])


def test_a_skip_that_names_no_group_fails_the_run(suite: pytest.Pytester) -> None:
    suite.makepyfile("import pytest\ndef test_speakers_play():\n    pass\ndef test_it():\n    pytest.skip('later')\n")
    listed = suite.makefile(".list", "kafka: no Java where CI runs\n")
    result = suite.runpytest_inprocess("-p", "no:cacheprovider", f"--left-out-list={listed}")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["unnamed: later (1 test)"])


def test_a_listed_group_needs_a_reason(suite: pytest.Pytester) -> None:
    listed = suite.makefile(".list", "kafka\n")
    result = suite.runpytest_inprocess("-p", "no:cacheprovider", f"--left-out-list={listed}")
    assert result.ret != pytest.ExitCode.OK
    result.stderr.fnmatch_lines(["*line 1 of the left-out list is 'kafka'; allowed: 'group: reason'*"])
