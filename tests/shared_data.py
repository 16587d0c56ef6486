"""Real recordings that lie beside the checkout, or where DISPATCHER_DATA says. The project does not need them."""

import os
from pathlib import Path

from tests.services.left_out import leave_out


def shared_data(name: str) -> Path:
    """A file of the shared data; the test that asks is left out, with the reason, when it is not there."""
    given = os.environ.get("DISPATCHER_DATA")
    root = Path(given) if given else Path(__file__).resolve().parents[2] / "shared" / "data"
    if not (root / name).is_file():
        leave_out("recordings", f"no {name} in {'DISPATCHER_DATA' if given else '../shared/data'}")
    return root / name
