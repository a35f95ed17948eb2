"""Small disks: file systems of a few megabytes that a scenario fills, and empties again."""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from faults.trial import NotRun

_BLOCK = bytes(1 << 20)
_MOUNT, _UMOUNT = (shutil.which(name) or name for name in ("mount", "umount"))


class Disk:
    """One file system in memory, and the file that takes up what is free of it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._filler = folder / "filler"

    def fill(self) -> None:
        """Takes up all that is free now; what the others free later is free until the next call."""
        with self._filler.open("ab", buffering=0) as file, suppress(OSError):
            while file.write(_BLOCK):
                pass

    def make_room(self) -> None:
        """Frees it all again."""
        self._filler.unlink(missing_ok=True)


@contextmanager
def small_disk(folder: Path, mebibytes: int) -> Iterator[Disk]:
    """A disk of that size in a new folder; gone afterwards. Raises `NotRun` where none may be mounted."""
    folder.mkdir()
    options = f"size={mebibytes}m,mode=0711"
    try:
        said = subprocess.run(
            [_MOUNT, "-t", "tmpfs", "-o", options, "tmpfs", folder],
            capture_output=True,
            text=True,
            check=False,
        )
    except OSError as error:
        raise NotRun(f"no small disk can be mounted here: {error}") from error
    if said.returncode:
        raise NotRun(f"no small disk can be mounted here: {said.stderr.strip()}")
    try:
        yield Disk(folder)
    finally:
        # At once for those who look, for good once nobody holds a file of it open.
        subprocess.run([_UMOUNT, "--lazy", folder], check=False)
        folder.rmdir()
