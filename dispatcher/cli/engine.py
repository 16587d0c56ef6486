"""``dispatcher run``: one engine until it is told to stop."""

import secrets
import signal
import sys
from pathlib import Path

import typer

from dispatcher.accounts import Role, add_user
from dispatcher.application import Application, load, open_store
from dispatcher.cli.running import until_told
from dispatcher.clock import Clock, SystemClock
from dispatcher.ports import Store
from dispatcher.settings import load_deployment
from dispatcher.upkeep.log import make_log

FIRST_USER = "duty"


async def run_engine(config: Path) -> None:
    """Load, start, say where the page is, run, stop."""
    deployment = load_deployment(config)
    loaded = load(deployment)
    clock = SystemClock()
    store = await open_store(deployment)
    password = await first_user(store, clock)
    app = Application(deployment, loaded, store, clock, make_log(as_json=not sys.stderr.isatty()))
    await app.start()
    try:
        typer.echo(f"Duty room: {app.url}" + (f"  user {FIRST_USER}, password {password}" if password else ""))
        for problem in app.health.problems():
            typer.secho(f"not ready: {problem}", err=True, fg="yellow")
        app.reload_on(signal.SIGHUP)
        await until_told(app.finished)
        app.log.info("stops")
    finally:
        await app.stop()


async def first_user(store: Store, clock: Clock, password: str = "") -> str:
    """An installation without users gets one; gives its password, empty when there was a user already."""
    async with store.read() as reader:
        if await reader.fetch("accounts.users"):
            return ""
    made = password or secrets.token_urlsafe(9)
    await add_user(store, FIRST_USER, Role.ADMINISTRATOR, made, clock.now())
    return made
