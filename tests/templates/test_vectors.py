"""Segment counts against published test vectors, when the shared data is there."""

import json
from pathlib import Path

import pytest

from dispatcher.templates.segments import segments
from tests.shared_data import shared_data


def test_published_vectors_are_counted_alike() -> None:
    file: Path = shared_data("vectors/sms-segments.json")
    for case in json.loads(file.read_text(encoding="utf-8"))["cases"]:
        found = segments(case["body"])
        if (found.encoding, found.count) != (case["encoding"], case["segments"]):
            pytest.fail(f"{case['testDescription']}: {found}")
