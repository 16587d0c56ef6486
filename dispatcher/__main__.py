"""``dispatcher`` and ``python -m dispatcher``."""

import sys

from dispatcher.errors import ConfigurationError
from dispatcher.installation import check_installation


def main() -> None:
    """The console script: first whose code this is, then the command."""
    try:
        check_installation()
    except ConfigurationError as error:
        sys.exit(str(error))
    # Only now: with another distribution's ``rules`` in the way this import would fail with a riddle.
    from dispatcher.cli.commands import app  # noqa: PLC0415

    app()


if __name__ == "__main__":
    main()
