"""``dispatcher registry households``: the lists of who needs help, through the running engine, which writes each look down."""

import json
import os
from pathlib import Path
from typing import Annotated

import typer

from dispatcher.cli.asking import DEFAULT_URL, Url, engine, part
from dispatcher.cli.running import WRONG, fail

households = typer.Typer(
    help="Households that need help. Asks the running engine with an administrator's token; each act is in the audit log.",
    no_args_is_help=True,
)
_OWNER_ONLY = 0o600


@households.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="A list like households.csv.", exists=True, dir_okay=False)],
    url: Url = DEFAULT_URL,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """Take a list over in place of the one there was, whole or not at all.

    Example: dispatcher registry households import households.csv
    """
    try:
        text = file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        fail(f"{file}: is no text in UTF-8; allowed: CSV in UTF-8", WRONG)
    said = engine(url).put("/registry/households", {"csv": text})
    typer.echo(json.dumps(said) if as_json else f"{said['households']} households taken over")


@households.command()
def export(
    file: Annotated[Path, typer.Argument(help="Where to write; only its owner can read it.", dir_okay=False)], url: Url = DEFAULT_URL
) -> None:
    """Write the whole list into a file, to be edited and imported again.

    Example: dispatcher registry households export households.csv
    """
    found = engine(url).fetch("/registry/households.csv")
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _OWNER_ONLY), "wb") as out:
        file.chmod(_OWNER_ONLY)  # a file that was there may have been open to others
        out.write(found)
    typer.echo(str(file))


@households.command()
def erase(household: Annotated[str, typer.Argument(help="Its id, as the list says.")], url: Url = DEFAULT_URL) -> None:
    """Delete one household for good.

    Example: dispatcher registry households erase h-990121101201-1
    """
    engine(url).delete(f"/registry/households/{part(household)}")
    typer.echo(f"{household}: erased")
