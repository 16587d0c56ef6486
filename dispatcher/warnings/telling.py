"""Inside one transaction: what people in the duty room are told: tasks, and lines of the live stream."""

from collections.abc import Sequence

from dispatcher.house import House
from dispatcher.model.task import FeedLine, Task
from dispatcher.ports import Transaction
from dispatcher.rows import row_of
from dispatcher.warnings.feed import task_line


async def add_tasks(tx: Transaction, house: House, tasks: Sequence[Task]) -> None:
    """Open tasks (the same matter opens none twice) and say so on the live stream."""
    new = [task for task in tasks if await tx.run("desk.add_task", row_of(task))]
    await add_feed(tx, [task_line(house, task) for task in new])


async def add_feed(tx: Transaction, lines: Sequence[FeedLine]) -> None:
    """Add lines to the live stream."""
    await tx.run_many("desk.add_feed", [row_of(line) for line in lines])
