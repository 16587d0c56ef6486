"""The browser that looks at the duty room: ``chromium`` is the path of the program."""

import subprocess

import pytest

from tests.services import server
from tests.services.left_out import leave_out


@pytest.fixture(scope="session")
def chromium() -> str:
    """Path of a Chromium that starts; leaves the test out when there is none."""
    path = server.program("chromium", "chromium-browser", "google-chrome")
    if path is None:
        leave_out("chromium", "no chromium on the path")
    try:
        subprocess.run([path, "--version"], check=True, capture_output=True, timeout=60)
    except (OSError, subprocess.SubprocessError):
        leave_out("chromium", f"{path} does not start")
    return path
