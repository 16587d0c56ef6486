"""What differs between two registries, and which of directory and import is in force."""

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from dispatcher.registry.load import digest_of
from dispatcher.registry.versions import Imported, difference, in_force
from tests.registry.tables import GOOD

ROWS = st.dictionaries(st.sampled_from(["s1", "s2", "s3", "s4"]), st.sampled_from(["村部", "村口"]), max_size=4)


def speakers(rows: dict[str, str]) -> dict[str, str]:
    return GOOD | {"speakers.csv": "id,village,name\n" + "".join(f"{k},990121101201,{v}\n" for k, v in rows.items())}


@settings(deadline=None)
@given(ROWS, ROWS)
def test_rows_are_added_changed_or_removed_by_their_key(before: dict[str, str], after: dict[str, str]) -> None:
    found = difference(speakers(before), speakers(after))
    if before == after:
        assert not found
        return
    (table,) = found.tables
    assert set(table.added_rows) == after.keys() - before.keys()
    assert set(table.removed_rows) == before.keys() - after.keys()
    assert set(table.changed_rows) == {k for k in before.keys() & after.keys() if before[k] != after[k]}
    assert (table.added, table.changed, table.removed) == (len(table.added_rows), len(table.changed_rows), len(table.removed_rows))


def test_the_order_of_rows_and_columns_an_empty_column_and_yaml_are_no_difference() -> None:
    head, *rows = [line.split(",") for line in GOOD["speakers.csv"].splitlines()]
    as_yaml = yaml.safe_dump([dict(zip(head, row, strict=True)) for row in rows], allow_unicode=True)
    plain = {k: v for k, v in GOOD.items() if k != "speakers.csv"}
    assert not difference(GOOD, plain | {"speakers.yaml": as_yaml})
    assert not difference(GOOD, plain | {"speakers.csv": "name,id,village,owner\n村部,spk-1,990121101201,\n"})


def test_another_county_file_is_named() -> None:
    found = difference(GOOD, GOOD | {"county.yaml": GOOD["county.yaml"].replace("云岭县", "云山县")})
    assert (found.tables, found.files) == ((), ("county.yaml",))
    assert found.lines() == ["county.yaml: 修改 changed"]


def test_what_was_changed_last_is_in_force_the_import_or_the_directory() -> None:
    imported = Imported(seq=1, digest="d", directory=digest_of(GOOD), files=speakers({"s1": "村口"}))
    assert in_force(GOOD, imported) == imported.files
    edited = speakers({"s9": "村口"})
    assert in_force(edited, imported) == edited
    assert in_force(GOOD, None) == GOOD
