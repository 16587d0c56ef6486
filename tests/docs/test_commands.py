"""Every command in README and docs does what the document says, in a copy of the checkout."""

import shutil
from pathlib import Path

import pytest

from tests.docs.blocks import blocks, missing, outputs, script
from tests.docs.checkout import ROOT, make_checkout

#: Commands that would not end, or that other tests run, and what is run in their place.
STAND_INS = {
    "make run": "make --no-print-directory run RUN='--state var/make-run --until-answered --speed 600 --port 0'",
    "make test": "make -n test",
    "make test     # makes .venv from the lock and runs every test against real servers": "make -n test",
    "make lint": "make -n lint",
    "make faults": "make -n faults",
    "make faults RUNS=2000": "make -n faults RUNS=2000",
    "make faults KIND=disk:3,lock:1 SEED=7": "make -n faults KIND=disk:3,lock:1 SEED=7",
}
#: Why a block may stay unrun; a new reason is added here on purpose.
REASONS = {
    "needs a container engine; tests/packaging checks the files",
    "needs a PostgreSQL server",
    "needs an engine that runs and a token; tests/web runs them",
    "needs systemd",
}
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
WITH_COMMANDS = [file for file in DOCUMENTS if any(block.is_command for block in blocks(file))]


@pytest.mark.parametrize("file", WITH_COMMANDS, ids=lambda file: file.name)
def test_the_commands_of_a_document_work_in_its_order_and_print_what_it_shows(file: Path, tmp_path: Path) -> None:
    if shutil.which("bash") is None or shutil.which("curl") is None:  # pragma: no cover
        pytest.fail("bash and curl are needed to run the documents' commands")
    parts = [block for block in blocks(file) if block.is_command]
    stand_ins = STAND_INS if file.name == "README.md" else STAND_INS | {"make run": "make -n run"}
    ran = make_checkout(tmp_path).run(script(parts, stand_ins))
    printed = outputs(ran.stdout)
    last = parts[max(printed, default=0)]
    log = tmp_path / "engine.log"
    said = log.read_text(encoding="utf-8")[-2000:] if log.exists() else ""
    assert ran.returncode == 0, f"{last.where} ended with {ran.returncode}:\n{ran.stdout[-3000:]}\nengine:\n{said}"
    lost = {block.where: (lines, printed[n]) for n, block in enumerate(parts) if (lines := missing(block, printed[n]))}
    assert not lost, lost


@pytest.mark.parametrize("file", DOCUMENTS, ids=lambda file: file.name)
def test_a_block_that_is_not_run_has_a_known_reason(file: Path) -> None:
    notes = [block.note.removeprefix("not run: ") for block in blocks(file) if block.note.startswith("not run: ")]
    assert set(notes) <= REASONS


def test_a_shown_line_that_is_not_printed_is_found(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("```console\n$ cat a \\\n    b\nfirst … third\nsecond\n```\n", encoding="utf-8")
    (block,) = blocks(page)
    assert block.commands() == ["cat a \\", "    b"]
    assert missing(block, "first and third\nsecond\n") == []
    assert missing(block, "second\nfirst and third\n") == ["second"]
    assert outputs("\n@@@ block 0\nx\n\n@@@ block 1\ny\n") == {0: "x\n\n", 1: "y\n"}
