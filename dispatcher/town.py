"""The simulated town as a process of its own, which ends with us however we end."""

import asyncio
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from dispatcher.errors import Unreachable

_READY_S = 20.0
_STOP_S = 3.0


@asynccontextmanager
async def town_process(arguments: Sequence[str]) -> AsyncIterator[None]:
    """Run the town until the block ends; Unreachable when it does not start."""
    command = [sys.executable, "-m", "simulators.town", "--until-stdin-closes", *arguments]
    pipe = asyncio.subprocess.PIPE
    # A group of its own: Ctrl-C is for the engine, which tells the town to stop when it has finished.
    process = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe, start_new_session=True)
    try:
        assert process.stdout is not None  # noqa: S101 - asked for above
        ready = await asyncio.wait_for(process.stdout.readline(), _READY_S)
        if not ready:
            raise Unreachable(f"the simulated town did not start (exit code {await process.wait()})")
        yield
    finally:
        if process.returncode is None:
            process.terminate()
            try:
                await asyncio.wait_for(process.wait(), _STOP_S)
            except TimeoutError:
                process.kill()
                await process.wait()
