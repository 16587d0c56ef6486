"""Makes the report of a warning from the store: the shell around gather.py and compose.py."""

from collections.abc import Callable
from datetime import datetime

from dispatcher.ports import Printer
from dispatcher.reports.compose import compose, csv_table
from dispatcher.reports.gather import Gathered, gather
from dispatcher.reports.sheet import Sheet, Table
from dispatcher.workplace import Workplace
from rules.plan import Plan


class Reporter:
    """Everything it gives is None for a warning that is not there. ``printer`` is None where nothing can print."""

    def __init__(self, place: Workplace, plan: Callable[[], Plan], printer: Printer | None = None) -> None:
        """``plan`` gives the rules in force, whose thresholds the plots show."""
        self._place = place
        self._plan = plan
        self.printer = printer

    async def sheet(self, warning: str, language: str) -> Sheet | None:
        """The report in a language."""
        found = await self._gathered(warning)
        return compose(self._place.house, self._plan(), found, language) if found else None

    async def table(self, warning: str, language: str) -> Table | None:
        """Its villages as a table."""
        found = await self._gathered(warning)
        return csv_table(self._place.house, found, language) if found else None

    async def _gathered(self, warning: str) -> Gathered | None:
        now: datetime = self._place.clock.now()
        async with self._place.store.read() as reader:
            return await gather(reader, self._place.house.registry, warning, now)
