"""A disk that can be filled: a small file system in memory where we may mount one, else a bound on the size of the engine's files."""

import errno
import resource
import subprocess
from contextlib import suppress
from pathlib import Path

SIZE_MB = 32
CHUNK = bytes(1 << 16)
#: Beyond this no file of the engine may be written; the write-ahead log is longer after its first seconds.
BOUND_BYTES = 64 << 10


class SmallDisk:
    """``folder`` lies on it. ``fill`` leaves no room, ``free`` gives it back."""

    def __init__(self, folder: Path) -> None:
        """Mount it, or note that this machine does not let us."""
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        mount = ["mount", "-t", "tmpfs", "-o", f"size={SIZE_MB}m", "tmpfs", str(folder)]
        try:
            self.mounted = subprocess.run(mount, capture_output=True, check=False).returncode == 0
        except OSError:
            self.mounted = False
        self._ballast = folder / "ballast"

    def fill(self, engine: int) -> None:
        """No room any more, for the engine with this process id."""
        if not self.mounted:
            resource.prlimit(engine, resource.RLIMIT_FSIZE, (BOUND_BYTES, resource.RLIM_INFINITY))
            return
        with self._ballast.open("ab", buffering=0) as file:
            for piece in (CHUNK, CHUNK[:4096], CHUNK[:1]):
                try:
                    while True:
                        file.write(piece)
                except OSError as error:
                    if error.errno != errno.ENOSPC:
                        raise

    def free(self, engine: int) -> None:
        """Room again."""
        if self.mounted:
            self._ballast.unlink(missing_ok=True)
            return
        with suppress(ProcessLookupError):
            resource.prlimit(engine, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))

    def close(self) -> None:
        """Unmount it."""
        if self.mounted:
            subprocess.run(["umount", "-l", str(self.folder)], capture_output=True, check=False)
