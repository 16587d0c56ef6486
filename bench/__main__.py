"""``python -m bench [PREFIX]``: runs the benchmarks, each in a process of its own, and prints one JSON line per figure.

A benchmark is a file that can be run by itself; ``rules_first.py`` measures the figures ``rules.first…``, ``dispatch_10k.py`` those
of ``dispatch.10k…``. A prefix chooses figures: ``rules``, ``ingest.mqtt``, ``dispatch.10k.committed_s``.
"""

import json
import subprocess
import sys
from pathlib import Path

_FOLDER = Path(__file__).parent


def benchmarks(folder: Path = _FOLDER) -> dict[str, Path]:
    """Every benchmark by the beginning of its figures' names; what can be run and prints no figure is a tool for another purpose."""
    texts = {path: path.read_text(encoding="utf-8") for path in sorted(folder.glob("[a-z]*.py"))}
    return {path.stem.replace("_", "."): path for path, text in texts.items() if '__name__ == "__main__"' in text and "figure" in text}


def chosen(found: dict[str, Path], prefix: str) -> dict[str, Path]:
    """Those whose figures may begin with the prefix."""
    return {name: path for name, path in found.items() if name.startswith(prefix) or prefix.startswith(name)}


def figures(output: str, prefix: str) -> list[str]:
    """The lines that are figures with this prefix."""
    lines = [line for line in output.splitlines() if line.startswith("{")]
    return [line for line in lines if str(json.loads(line).get("bench", "")).startswith(prefix)]


def main(prefix: str) -> int:
    """Run and print; 1 when a benchmark failed, 2 when the prefix chooses none."""
    found = benchmarks()
    todo = chosen(found, prefix)
    if not todo:
        sys.stderr.write(f"no benchmark begins with {prefix!r}; there are: {', '.join(found) or 'none'}\n")
        return 2
    failed = 0
    for path in todo.values():
        ran = subprocess.run([sys.executable, "-m", f"bench.{path.stem}"], stdout=subprocess.PIPE, text=True, check=False)
        for line in figures(ran.stdout, prefix):
            print(line, flush=True)
        failed |= ran.returncode != 0
    return int(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else ""))
