"""``dispatcher user``: accounts and API tokens."""

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from dispatcher.accounts import Role, add_token, add_user
from dispatcher.application import open_store
from dispatcher.cli.running import WRONG_USAGE, fail, run_async
from dispatcher.clock import SystemClock
from dispatcher.ports import Store
from dispatcher.settings import Deployment, load_deployment

accounts = typer.Typer(help="Accounts and API tokens. Stop the engine first: it holds the database.", no_args_is_help=True)
Config = Annotated[Path | None, typer.Option("-c", "--config", help="deployment.yaml; default the embedded default.")]
_ROLES = f"What it may do: {', '.join(role.word for role in Role)}."


def _role(word: str) -> Role:
    try:
        return Role.from_word(word)
    except ValueError as error:
        fail(str(error), WRONG_USAGE)


async def _open(config: Path | None) -> Store:
    return await open_store(load_deployment(config) if config else Deployment())


@accounts.command()
def add(name: str, role: Annotated[str, typer.Option(help=_ROLES)], config: Config = None) -> None:
    """Add an account, or change its role and password. The password is asked for, or read from standard input.

    Example: dispatcher user add wang --role duty_officer
    """
    asked = sys.stdin.isatty()
    password = typer.prompt("Password", hide_input=True, confirmation_prompt=True) if asked else sys.stdin.readline().strip()
    chosen = _role(role)

    async def work() -> None:
        store = await _open(config)
        try:
            await add_user(store, name, chosen, password, SystemClock().now())
        except ValueError as error:
            fail(str(error), WRONG_USAGE)
        finally:
            await store.close()

    run_async(work())
    typer.echo(f"{name}: {chosen.word}")


@accounts.command()
def token(name: str, role: Annotated[str, typer.Option(help=_ROLES)], config: Config = None) -> None:
    """Make an API token; it is shown once.

    Example: dispatcher user token gauges --role forecaster
    """

    async def work() -> str:
        store = await _open(config)
        try:
            return await add_token(store, name, _role(role), SystemClock().now())
        finally:
            await store.close()

    typer.echo(run_async(work()))


@accounts.command("list")
def list_(config: Config = None, *, as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False) -> None:
    """List the accounts.

    Example: dispatcher user list --json
    """

    async def work() -> list[dict[str, object]]:
        store = await _open(config)
        try:
            async with store.read() as reader:
                return [dict(row) for row in await reader.fetch("accounts.users")]
        finally:
            await store.close()

    rows = run_async(work())
    typer.echo(json.dumps(rows) if as_json else "\n".join(f"{row['name']}\t{row['role']}" for row in rows))
