"""Households and persons who need help in a transfer, each with a named helper: few may look, and every look is in the audit log.

They are no part of the registry's versions, so that what is erased is gone. Each is kept until a day and then deleted.
"""

import asyncio
import csv
import io
import json
from collections.abc import Collection, Iterator, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import date, datetime, timedelta

from dispatcher.errors import ConfigurationError, NotAllowed, Problem, StoreFailed
from dispatcher.files.table import Row, read_table
from dispatcher.ports import Row as StoreRow
from dispatcher.registry.rows import day, identifier, number, text
from dispatcher.timestamps import to_ms
from dispatcher.upkeep.audit import Act, write_audit
from dispatcher.workplace import Workplace

FILE = "households.csv"
COLUMNS = ("id", "village", "part", "name", "address", "people", "needs", "helper")
EXTRAS = ("keep_until",)
KEPT = timedelta(days=366)
_LOOK_EVERY_S = 3600.0
_MOST_PEOPLE = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Household:
    """One household. ``part`` is its group of the village, ``needs`` what makes it need help, ``helper`` a contact's id."""

    id: str
    village: str
    part: str
    name: str
    address: str
    people: int
    needs: str
    helper: str
    keep_until: date


def read_households(given: str, villages: Collection[str], contacts: Collection[str], today: date) -> list[Household]:
    """The households of a CSV text; ConfigurationError with every mistake, its line and what is allowed. Cells are never repeated."""
    problems: list[Problem] = []
    found = [_household(row, villages, contacts, today) for row in read_table(given, FILE, COLUMNS, EXTRAS, problems)]
    seen: set[str] = set()
    for one in found:
        if one.id in seen:
            problems.append(Problem(FILE, f"{one.id!r} is given twice; allowed: one row for each household"))
        seen.add(one.id)
    if problems:
        raise ConfigurationError(problems)
    return found


def _household(row: Row, villages: Collection[str], contacts: Collection[str], today: date) -> Household:
    if row["village"] not in villages:
        row.wrong("village", f"{row['village']!r} is not in villages.csv")
    if row["helper"] and row["helper"] not in contacts:
        row.wrong("helper", f"{row['helper']!r} is not in contacts.csv; allowed: a contact's id, or nothing while nobody is found")
    until = day(row, "keep_until") or today + KEPT
    if until > today + 3 * KEPT:
        row.wrong("keep_until", "is more than three years away; personal data are kept no longer than needed")
    return Household(
        id=identifier(row, "id"),
        village=row["village"],
        part=row["part"],
        name=text(row, "name"),
        address=row["address"],
        people=int(number(row, "people", 1, _MOST_PEOPLE)),
        needs=row["needs"],
        helper=row["helper"],
        keep_until=until,
    )


def as_csv(households: Sequence[Household]) -> str:
    """The table again, as it is imported."""
    out = io.StringIO()
    table = csv.writer(out, lineterminator="\n")
    names = [f.name for f in fields(Household)]
    table.writerow(names)
    table.writerows([[asdict(h)[name] for name in names] for h in households])
    return out.getvalue()


class HouseholdBook:
    """Every act and every look, with its entry in the audit log in the same transaction. Names stand in no log."""

    def __init__(self, place: Workplace) -> None:
        """Nothing is read yet."""
        self._place = place

    async def run(self) -> None:
        """Delete what is kept too long, once an hour, until cancelled."""
        while True:
            try:
                await self.forget_outdated()
            except StoreFailed as failure:
                self._place.log.error("store_failed", error=str(failure))
            await asyncio.sleep(_LOOK_EVERY_S)

    async def look(self, village: str, actor: str, origin: str, why: str = "look at households") -> list[Household]:
        """The households of a village (all for none), after the look is written down."""
        place = self._place
        async with place.store.write() as tx:
            rows = await tx.fetch("households.listed", {"county": place.house.county, "village": village})
            act = Act(actor=actor, origin=origin, act=why, subject=village or "all", detail={"n": len(rows)})
            await write_audit(tx, place.house.county, place.clock.now(), [act])
        return list(_of_rows(rows))

    async def counts(self) -> dict[str, tuple[int, int]]:
        """How many households and people need help, by village: no names, so no entry in the log."""
        async with self._place.store.read() as reader:
            rows = await reader.fetch("households.counts", {"county": self._place.house.county})
        return {row["village"]: (row["households"], row["people"]) for row in rows}

    async def of_helper(self, helpers: Sequence[str], villages: Collection[str], origin: str) -> list[Household]:
        """The households that these contacts (one person, by all his roles) help in some villages, after the look is written down."""
        place = self._place
        scope = {"county": place.house.county, "helpers": json.dumps(list(helpers)), "villages": json.dumps(sorted(villages))}
        async with place.store.write() as tx:
            rows = await tx.fetch("households.of_helper", scope)
            if rows:
                detail = {"villages": sorted(villages), "n": len(rows)}
                act = Act(actor=helpers[0], origin=origin, act="look at own households", subject=helpers[0], detail=detail)
                await write_audit(tx, place.house.county, place.clock.now(), [act])
        return list(_of_rows(rows))

    async def put_all(self, given: str, actor: str, origin: str) -> int:
        """Take a CSV text in place of all households there were; gives how many. ConfigurationError: nothing has changed."""
        place, now = self._place, self._place.clock.now()
        registry = place.house.registry
        found = read_households(given, registry.villages, registry.contacts, self._today(now))
        made = {"county": place.house.county, "made_by": actor, "made_at": to_ms(now)}
        async with place.store.write() as tx:
            await tx.run("households.clear", {"county": place.house.county})
            await tx.run_many("households.put", [{**asdict(h), "keep_until": h.keep_until.isoformat(), **made} for h in found])
            act = Act(actor=actor, origin=origin, act="import households", subject="all", detail={"n": len(found)})
            await write_audit(tx, place.house.county, now, [act])
        return len(found)

    async def erase(self, household: str, actor: str, origin: str) -> None:
        """Delete one; NotAllowed when there is none."""
        place = self._place
        async with place.store.write() as tx:
            if not await tx.run("households.erase", {"county": place.house.county, "id": household}):
                raise NotAllowed(f"there is no household {household!r}", f"没有该户 {household}")
            act = Act(actor=actor, origin=origin, act="erase household", subject=household)
            await write_audit(tx, place.house.county, place.clock.now(), [act])

    async def forget_outdated(self) -> int:
        """Delete those whose day is past; gives how many."""
        place, now = self._place, self._place.clock.now()
        async with place.store.write() as tx:
            gone = await tx.run("households.outdated", {"county": place.house.county, "today": self._today(now).isoformat()})
            if gone:
                act = Act(actor="retention", act="erase households", subject="all", detail={"n": gone})
                await write_audit(tx, place.house.county, now, [act])
        return gone

    def _today(self, now: datetime) -> date:
        return now.astimezone(self._place.house.registry.county.timezone).date()


def _of_rows(rows: Sequence[StoreRow]) -> Iterator[Household]:
    for row in rows:
        yield Household(**{**row, "keep_until": date.fromisoformat(row["keep_until"])})
