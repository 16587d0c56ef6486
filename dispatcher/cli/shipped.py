"""Where the files lie that come with the program."""

import sysconfig
from pathlib import Path

import dispatcher


def config_dir() -> Path:
    """The shipped ``config`` directory: beside the packages in a checkout, under share/ in an installation."""
    checkout = Path(dispatcher.__file__).resolve().parent.parent / "config"
    return checkout if checkout.is_dir() else Path(sysconfig.get_path("data")) / "share" / "dispatcher" / "config"
