"""``dispatcher registry``: what an operator does with the county's tables."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
import yaml

from dispatcher.application import load, open_store
from dispatcher.cli.at_engine import ask, engine_runs
from dispatcher.cli.households import households
from dispatcher.cli.running import WRONG, WRONG_USAGE, fail, run_async, say_problems
from dispatcher.cli.shipped import config_dir
from dispatcher.clock import SystemClock
from dispatcher.errors import ConfigurationError, Problem
from dispatcher.ports import Store
from dispatcher.registry.book import known_files
from dispatcher.registry.load import digest_of, registry_of, registry_texts, rows_of
from dispatcher.registry.tables import TABLES
from dispatcher.registry.versions import Difference, Imported, TableDifference, difference, newest_version, write_version
from dispatcher.settings import Deployment, load_deployment

registry = typer.Typer(help="The county's tables: check, import as a version, export.", no_args_is_help=True)
registry.add_typer(households, name="households")
Config = Annotated[Path | None, typer.Option("-c", "--config", help="deployment.yaml; default the embedded default.")]
AsJson = Annotated[bool, typer.Option("--json", help="As JSON.")]
Directory = Annotated[Path, typer.Argument(help="Directory with county.yaml and its tables.", exists=True, file_okay=False)]
_COMMAND_LINE = "command line"


def deployment_of(config: Path | None) -> Deployment:
    """The deployment of a file, by default the embedded one."""
    return load_deployment(config or config_dir() / "sample" / "deployment.yaml")


@registry.command()
def check(directory: Directory, *, as_json: AsJson = False) -> None:
    """Check the tables of a directory by themselves; every mistake with file, line and what is allowed, and what is worth a look.

    Example: dispatcher registry check mycounty
    """
    problems: list[Problem] = []
    findings: list[Problem] = []
    found = registry_of(registry_texts(directory, problems), problems, findings)
    if as_json:
        said = {"ok": not problems, "problems": [asdict(p) for p in problems], "findings": [asdict(p) for p in findings]}
        typer.echo(json.dumps(said, ensure_ascii=False))
    elif problems:
        say_problems(ConfigurationError(problems))
    else:
        for finding in findings:
            typer.secho(str(finding), err=True, fg="yellow")
        typer.echo(f"ok: {len(found.villages)} villages, {len(found.contacts)} contacts, {len(found.duty.rosters)} rosters")
    raise typer.Exit(WRONG if problems else 0)


@registry.command("import")
def import_(
    directory: Directory,
    config: Config = None,
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would change.")] = False,
    as_json: AsJson = False,
) -> None:
    """Take the tables of a directory over as a new version, whole or not at all, and say what changed.

    Through the engine that runs on this machine (with an administrator's token in DISPATCHER_TOKEN), where it decides at once;
    else straight into the store, for the next start.

    Example: dispatcher registry import mycounty --dry-run
    """
    deployment = deployment_of(config)
    try:
        files = _texts(directory)
        if engine_runs(deployment):
            said = ask(deployment, "/api/v1/registry/import", {"files": files, "dry_run": dry_run})
            found = Difference(tables=tuple(TableDifference(**t) for t in said["tables"]), files=tuple(said["files"]))
        else:
            found = run_async(_import(deployment, files, dry_run=dry_run))
    except ConfigurationError as error:
        say_problems(error)
        raise typer.Exit(WRONG) from error
    typer.echo(json.dumps(found.as_json(), ensure_ascii=False) if as_json else "\n".join(found.lines()))


def _texts(directory: Path) -> dict[str, str]:
    problems: list[Problem] = []
    files = registry_texts(directory, problems)
    if problems:
        raise ConfigurationError(problems)
    return files


async def _import(deployment: Deployment, files: Mapping[str, str], *, dry_run: bool) -> Difference:
    known_files(files)
    store = await open_store(deployment)
    try:
        now = load(deployment, await newest_in(store, deployment)).files
        load(deployment, Imported(seq=0, digest="", directory=now.directory, files=files))
        found = difference(now.registry_texts, files)
        if not dry_run:
            async with store.write() as tx:
                await write_version(
                    tx,
                    now.registry.county.code,
                    SystemClock().now(),
                    files=files,
                    directory=now.directory,
                    found=found,
                    actor=_COMMAND_LINE,
                    origin="",
                )
        return found
    finally:
        await store.close()


async def newest_in(store: Store, deployment: Deployment) -> Imported | None:
    """The version that was imported last."""
    async with store.read() as reader:
        return await newest_version(reader, load(deployment).files.registry.county.code)


@registry.command()
def export(
    directory: Annotated[Path, typer.Argument(help="Directory to write into; made when missing.")],
    config: Config = None,
    *,
    form: Annotated[str, typer.Option("--format", help="As it was given (same), csv or yaml.")] = "same",
) -> None:
    """Write the registry that is in force into a directory, to be edited and imported again.

    Example: dispatcher registry export county-now --format yaml
    """
    if form not in {"same", "csv", "yaml"}:
        fail(f"unknown format {form!r}; allowed: same, csv, yaml", WRONG_USAGE)
    deployment = deployment_of(config)
    files = ask(deployment, "/api/v1/registry/export")["files"] if engine_runs(deployment) else run_async(_stored(deployment))
    directory.mkdir(parents=True, exist_ok=True)
    for name, text in as_form(files, form).items():
        (directory / name).write_text(text, encoding="utf-8")
    typer.echo(f"{len(files)} files, {digest_of(files)}")


async def _stored(deployment: Deployment) -> Mapping[str, str]:
    store = await open_store(deployment)
    try:
        return load(deployment, await newest_in(store, deployment)).files.registry_texts
    finally:
        await store.close()


def as_form(files: Mapping[str, str], form: str) -> dict[str, str]:
    """The tables as CSV or YAML, whichever they were; other files as they are."""
    found = {name: text for name, text in files.items() if form == "same" or name not in {n for t in TABLES for n in (t.file, t.yaml_file)}}
    if form == "same":
        return found
    for table in TABLES:
        rows = [{k: v for k, v in row.cells().items() if v or k in table.columns} for row in rows_of(table, files, [])]
        if not rows and table.may_miss:
            continue
        if form == "yaml":
            found[table.yaml_file] = yaml.safe_dump(rows, allow_unicode=True, sort_keys=False)
        else:
            names = [c for c in (*table.columns, *table.extras) if c in table.columns or any(row.get(c) for row in rows)]
            found[table.file] = "\n".join([",".join(names), *(",".join(_quoted(row.get(c, "")) for c in names) for row in rows)]) + "\n"
    return found


def _quoted(cell: str) -> str:
    return '"' + cell.replace('"', '""') + '"' if any(c in cell for c in ',"\n') else cell
