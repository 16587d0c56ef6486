"""``dispatcher`` and ``python -m dispatcher``."""

from dispatcher.cli.commands import main

if __name__ == "__main__":
    main()
