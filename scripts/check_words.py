"""Fails when a tracked file holds a word that must never be in the project: paths of one machine, hosts of package registries.

The words are put together from pieces, so that this file does not hold them itself.
"""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

#: What is forbidden, as pieces, and why.
WORDS = (
    (("/", "work", "/"), "a path of one machine"),
    (("/", "root", "/"), "a path of one machine"),
    (("/", "tmp/", "brief"), "a path of one machine"),
    (("/", ".", "library"), "the name of a private tool"),
    (("pypi", ".org"), "a package registry"),
    (("python", "hosted.org"), "a package registry"),
    (("npm", "js.org"), "a package registry"),
    (("npm", "js.com"), "a package registry"),
    (("repo", ".maven"), "a package registry"),
    (("repo1", ".maven"), "a package registry"),
    (("crates", ".io"), "a package registry"),
    (("proxy.", "golang.org"), "a package registry"),
    (("deb.", "debian.org"), "a package registry"),
    (("archive.", "ubuntu.com"), "a package registry"),
)
#: A home directory of somebody, e.g. in a pasted traceback.
PATTERNS = ((re.compile(r"/home/[a-z][a-z0-9_-]*/"), "a home directory"),)


def tracked(root: Path) -> list[Path]:
    """Every file that git knows or would add."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=root, check=True, capture_output=True
    )
    return [root / name for name in listed.stdout.decode().split("\0") if name and (root / name).is_file()]


def faults(text: str) -> list[tuple[int, str, str]]:
    """Line, what was found, and what kind of thing it is."""
    found = []
    for number, line in enumerate(text.splitlines(), start=1):
        for pieces, kind in WORDS:
            word = "".join(pieces)
            # A path counts where it begins (not in the middle of a longer one), a host wherever it stands.
            if re.search((r"(?<![\w.$})-])" if word.startswith("/") else "") + re.escape(word), line):
                found.append((number, word, kind))
        found.extend((number, match.group(), kind) for pattern, kind in PATTERNS for match in [pattern.search(line)] if match)
    return found


def main() -> int:
    """Print every fault as ``file:line: …``; 1 when there is one."""
    count = 0
    for path in tracked(ROOT):
        text = path.read_text(encoding="utf-8", errors="replace")
        for line, word, kind in faults(text):
            print(f"{path.relative_to(ROOT)}:{line}: {word!r} is {kind} and must not be in the project")
            count += 1
    return 1 if count else 0


if __name__ == "__main__":
    sys.exit(main())
