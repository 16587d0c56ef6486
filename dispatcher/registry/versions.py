"""Registries kept in the store as versions, and what differs between two of them.

A version is the texts of its files, so that it can be given back to the byte. Whichever was changed last is in force: a
version that was imported, or the directory, when a file in it was edited since.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime

from dispatcher.errors import Problem
from dispatcher.ports import Reader, Transaction
from dispatcher.registry.load import digest_of, rows_of
from dispatcher.registry.tables import TABLES, Table
from dispatcher.timestamps import to_ms
from dispatcher.upkeep.audit import Act, write_audit

_NAMED = 50
_VERSIONS_KEPT = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """The newest version. ``directory`` is the digest of the directory's own files when it was imported."""

    seq: int
    digest: str
    directory: str
    files: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class TableDifference:
    """What became of one table; the keys of up to 50 rows of each kind."""

    table: str
    added: int = 0
    changed: int = 0
    removed: int = 0
    added_rows: tuple[str, ...] = ()
    changed_rows: tuple[str, ...] = ()
    removed_rows: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """Between two registries: per table, and the other files (county.yaml, rosters.yaml) that are not the same."""

    tables: tuple[TableDifference, ...] = ()
    files: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        """Whether there is any."""
        return bool(self.tables or self.files)

    def as_json(self) -> dict[str, object]:
        """As plain values."""
        return asdict(self)

    def lines(self) -> list[str]:
        """As people read it, in both languages."""
        if not self:
            return ["无变化 no differences"]
        said = [
            f"{t.table}: 新增 added {t.added}, 修改 changed {t.changed}, 删除 removed {t.removed}"
            + "".join(
                f"\n  {mark} {', '.join(rows)}"
                for mark, rows in (("+", t.added_rows), ("~", t.changed_rows), ("-", t.removed_rows))
                if rows
            )
            for t in self.tables
        ]
        return [*said, *(f"{name}: 修改 changed" for name in self.files)]


def difference(before: Mapping[str, str], after: Mapping[str, str]) -> Difference:
    """What an import would change. Both must be readable; the order of rows and columns does not count."""
    tables = tuple(found for table in TABLES if (found := _of_table(table, before, after)) is not None)
    of_tables = {name for table in TABLES for name in (table.file, table.yaml_file)}
    others = sorted({*before, *after} - of_tables)
    return Difference(tables=tables, files=tuple(name for name in others if before.get(name, "") != after.get(name, "")))


def _of_table(table: Table, before: Mapping[str, str], after: Mapping[str, str]) -> TableDifference | None:
    old, new = _by_key(table, before), _by_key(table, after)
    added = [key for key in new if key not in old]
    removed = [key for key in old if key not in new]
    changed = [key for key in new if key in old and old[key] != new[key]]
    if not (added or changed or removed):
        return None
    return TableDifference(
        table=table.name,
        added=len(added),
        changed=len(changed),
        removed=len(removed),
        added_rows=tuple(added[:_NAMED]),
        changed_rows=tuple(changed[:_NAMED]),
        removed_rows=tuple(removed[:_NAMED]),
    )


def _by_key(table: Table, texts: Mapping[str, str]) -> dict[str, dict[str, str]]:
    """Rows by their key; empty cells of columns that are not there are the same as empty cells."""
    problems: list[Problem] = []
    rows = (row.cells() for row in rows_of(table, texts, problems))
    return {"/".join(cells[k] for k in table.key): {k: v for k, v in cells.items() if v} for cells in rows}


async def newest_version(reader: Reader, county: str) -> Imported | None:
    """The version that was imported last; None when there is none."""
    rows = await reader.fetch("registry.newest", {"county": county})
    if not rows:
        return None
    row = rows[0]
    return Imported(seq=row["seq"], digest=row["digest"], directory=row["directory"], files=json.loads(row["files"]))


async def write_version(  # noqa: PLR0913 - a version has these parts
    tx: Transaction, county: str, now: datetime, *, files: Mapping[str, str], directory: str, found: Difference, actor: str, origin: str
) -> str:
    """Keep a version and its entry in the audit log; gives its digest. Old versions beyond the last twenty go, with the names in them."""
    digest = digest_of(files)
    row = {
        "county": county, "digest": digest, "directory": directory, "files": json.dumps(files, ensure_ascii=False),
        "summary": json.dumps(found.as_json(), ensure_ascii=False), "actor": actor, "at": to_ms(now),
    }  # fmt: skip
    await tx.run("registry.add", row)
    await tx.run("registry.forget", {"county": county, "keep": _VERSIONS_KEPT})
    counts = {t.table: [t.added, t.changed, t.removed] for t in found.tables}
    await write_audit(tx, county, now, [Act(actor=actor, origin=origin, act="import registry", subject=digest, detail=counts)])
    return digest


def in_force(texts: Mapping[str, str], imported: Imported | None) -> Mapping[str, str]:
    """The texts to go by: the imported ones, unless the directory was edited since."""
    if imported is None or digest_of(texts) != imported.directory:
        return texts
    return imported.files
