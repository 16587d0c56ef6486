"""Whether this installation is what it says it is: our package names belong to nobody else (docs/adr/0001)."""

from collections.abc import Collection, Mapping
from importlib.metadata import packages_distributions

from dispatcher.errors import ConfigurationError, Problem

OURS = "dispatcher"
PACKAGES = ("adapters", "dispatcher", "rules", "simulators")


def intruders(owners: Mapping[str, Collection[str]]) -> list[Problem]:
    """One problem for each of our names that another distribution owns too. ``owners`` maps a name to distributions."""
    return [
        Problem("installation", f"the package {name!r} also belongs to {', '.join(others)}; {_ADVICE}")
        for name in PACKAGES
        if (others := sorted(set(owners.get(name, ())) - {OURS}))
    ]


_ADVICE = "allowed: dispatcher in an environment of its own (make run, pipx install, or the image)"


def check_installation() -> None:
    """ConfigurationError when it cannot be told whose code would run."""
    found = intruders(packages_distributions())
    if found:
        raise ConfigurationError(found)
