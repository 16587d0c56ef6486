"""Run until Ctrl-C or a signal, and turn errors into exit codes: 1 something checked is wrong, 3 something cannot be reached."""

import asyncio
import gc
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, NoReturn, TypeVar

import typer
import uvloop

from dispatcher.errors import ConfigurationError, DispatcherError, ShardLost, StoreFailed, Unreachable

WRONG = 1
WRONG_USAGE = 2
OUT_OF_REACH = 3
INTERRUPTED = 130

# Python's own 700 objects mean a thousand collections in one alert for a county, a fifth of its time.
_OBJECTS_PER_COLLECTION = (50_000, 20, 50)
# A thread of the store gives the interpreter back for every row. With Python's own 5 ms it would wait that long to have it again each
# time, and a hundred rows half a second, while texts are being handed over.
_SWITCH_S = 0.0005

T = TypeVar("T")


def run_async(work: Coroutine[Any, Any, T]) -> T:
    """Run to the end; a known error becomes its sentence and exit code, never a traceback."""
    gc.set_threshold(*_OBJECTS_PER_COLLECTION)
    sys.setswitchinterval(_SWITCH_S)
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            return runner.run(work)
    except ConfigurationError as error:
        say_problems(error)
        raise typer.Exit(WRONG) from error
    except (Unreachable, StoreFailed, ShardLost) as error:
        fail(str(error), OUT_OF_REACH)
    except DispatcherError as error:
        fail(str(error), WRONG)
    except KeyboardInterrupt as error:
        raise typer.Exit(INTERRUPTED) from error


def say_problems(error: ConfigurationError) -> None:
    """Every problem on a line of its own, as editors understand it."""
    for problem in error.problems:
        typer.secho(str(problem), err=True, fg="red")
    typer.echo(f"{len(error.problems)} problem(s)", err=True)


def fail(message: str, code: int) -> NoReturn:
    """Say one sentence on standard error and end."""
    typer.secho(message, err=True, fg="red")
    raise typer.Exit(code)


async def until_told(work: Callable[[], Awaitable[None]]) -> bool:
    """Await work until it ends or SIGINT or SIGTERM comes; true when it was told to stop.

    A second signal ends the process at once, as a power cut would: what was committed is there, what was not is done again.
    """
    loop = asyncio.get_running_loop()
    told = asyncio.Event()

    def tell() -> None:
        if told.is_set():
            sys.stdout.flush()
            os._exit(INTERRUPTED)  # sys.exit would still wait for every part to clean up
        told.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, tell)
    working = asyncio.ensure_future(work())
    waiting = asyncio.ensure_future(told.wait())
    try:
        await asyncio.wait({working, waiting}, return_when=asyncio.FIRST_COMPLETED)
        if working.done():
            working.result()
        return not working.done()
    finally:
        working.cancel()
        waiting.cancel()
