"""Registries while the engine runs: what an import would change, an import that decides from now on, and what is in force."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from dispatcher.errors import ConfigurationError, Problem
from dispatcher.registry.tables import COUNTY_FILE, TABLES
from dispatcher.registry.versions import Difference, difference, write_version
from dispatcher.workplace import Workplace

ROSTERS = "rosters.yaml"
FILES = frozenset({COUNTY_FILE, ROSTERS, *(t.file for t in TABLES), *(t.yaml_file for t in TABLES)})


@dataclass(frozen=True, slots=True, kw_only=True)
class Basis:
    """What is in force: the texts of the registry's files, and the digest of those in the directory."""

    files: Mapping[str, str]
    directory: str


@dataclass(frozen=True, slots=True)
class RegistryBook:
    """Imports and exports.

    ``check`` raises ConfigurationError when files do not fit with rules, policies and texts. ``adopt`` lets what the store
    holds decide from now on, for an actor and where he acted from; NotAllowed where this worker does not decide.
    """

    place: Workplace
    basis: Callable[[], Basis]
    check: Callable[[Mapping[str, str]], object]
    adopt: Callable[[str, str], Awaitable[None]]

    def files(self) -> Mapping[str, str]:
        """The texts of the files that are in force."""
        return self.basis().files

    async def take(self, files: Mapping[str, str], *, actor: str, origin: str, dry_run: bool) -> Difference:
        """What an import changes; without ``dry_run`` it is kept in one transaction and in force on return.

        ConfigurationError names every mistake; then nothing has changed. Notices under way keep the plan they have.
        """
        known_files(files)
        await asyncio.to_thread(self.check, files)
        basis, place = self.basis(), self.place
        found = difference(basis.files, files)
        if dry_run:
            return found
        async with place.store.write() as tx:
            await write_version(
                tx, place.house.county, place.clock.now(), files=files, directory=basis.directory, found=found, actor=actor, origin=origin
            )
        await self.adopt(actor, origin)
        return found


def known_files(files: Mapping[str, str]) -> None:
    """ConfigurationError for names that no file of a registry has."""
    unknown = [name for name in files if name not in FILES]
    if unknown:
        raise ConfigurationError([Problem(name, f"no file of a registry; allowed: {', '.join(sorted(FILES))}") for name in unknown])
