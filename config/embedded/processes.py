"""Starting child processes that cannot outlive us, under an account that may run servers."""

import contextlib
import ctypes
import os
import pwd
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from config.embedded.errors import CannotStart

PR_SET_PDEATHSIG = 1
# PostgreSQL refuses to run as root, and looks its account up by name.
UNPRIVILEGED = "nobody"


@dataclass(frozen=True)
class Account:
    """Whom a server runs as: nobody in particular, when we are root; else ourselves."""

    uid: int
    gid: int
    drops: bool

    def own(self, folder: Path) -> None:
        """Makes a private folder (0700) that this account owns."""
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o700)
        if self.drops:
            os.chown(folder, self.uid, self.gid)

    @contextlib.contextmanager
    def assumed(self) -> Iterator[None]:
        """Acts as this account for a while."""
        if not self.drops:
            yield
            return
        us = own_account()
        os.setegid(self.gid)
        os.seteuid(self.uid)
        try:
            yield
        finally:
            os.seteuid(us.uid)
            os.setegid(us.gid)


def server_account() -> Account:
    """The account for servers."""
    if os.getuid() != 0:
        return own_account()
    try:
        entry = pwd.getpwnam(UNPRIVILEGED)
    except KeyError:
        raise CannotStart(
            f"PostgreSQL does not run as root, and there is no account {UNPRIVILEGED}. Start as another user."
        ) from None
    return Account(entry.pw_uid, entry.pw_gid, drops=True)


def own_account() -> Account:
    """Ourselves, whoever we are."""
    return Account(os.getuid(), os.getgid(), drops=False)


def spawn(
    command: Sequence[str | Path],
    *,
    account: Account,
    log: IO[Any] | int,
    environment: Mapping[str, str] | None = None,
    dies_with: signal.Signals = signal.SIGTERM,
    folder: Path | None = None,
) -> "subprocess.Popen[bytes]":
    """Starts a process in a group of its own; it gets `dies_with` should we die without a word."""
    dropped: dict[str, Any] = {}
    if account.drops:
        dropped = {"user": account.uid, "group": account.gid, "extra_groups": []}
    return subprocess.Popen(
        [str(part) for part in command],
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=subprocess.STDOUT,
        env=dict(os.environ if environment is None else environment),
        cwd=folder,
        process_group=0,
        # Only what was made inheritable on purpose gets through: see Family.
        close_fds=False,
        # After the change of account, which would clear it.
        preexec_fn=_die_with_parent(dies_with),  # noqa: PLW1509 - the launcher has one thread
        **dropped,
    )


def stop(process: "subprocess.Popen[bytes]", number: signal.Signals, seconds: float) -> None:
    """Asks a process to end, and kills its whole group when it does not in time."""
    if process.poll() is None:
        process.send_signal(number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(seconds)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


class Family:
    """Every process that we start, and all that those start: each inherits one file, held open.

    The word of a child that it ended says nothing of its own children, and after we were killed
    there is nobody to ask. Who holds the file open is one of the family, whoever its parent is.
    """

    def __init__(self, path: Path, account: Account) -> None:
        self._account = account
        self._file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        os.set_inheritable(self._file, True)

    def members(self) -> set[int]:
        """All of them but ourselves."""
        ours = os.fstat(self._file)
        return _seen(lambda process: _holds(process, ours), self._account) - {os.getpid()}

    def end(self, seconds: float) -> None:
        """Waits until all have ended, and kills those that have not in time."""
        until = time.monotonic() + seconds
        while members := self.members():
            if time.monotonic() > until:
                kill(members)
            time.sleep(0.05)


def working_in(folder: Path, program: str, account: Account) -> set[int]:
    """The processes of this program whose current folder this is."""
    there = folder.stat()

    def works(process: Path) -> bool:
        # A program that was replaced since is called "… (deleted)".
        name = (process / "exe").readlink().name.split(" ")[0]
        return name == program and os.path.samestat((process / "cwd").stat(), there)

    return _seen(works, account)


def kill(processes: set[int]) -> None:
    """Ends them without asking."""
    for pid in processes:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal.SIGKILL)


def _seen(test: Callable[[Path], bool], account: Account) -> set[int]:
    """The processes that pass a test; root in a container may need to be their account to look."""
    found = set()
    for act_as in (own_account(), account) if account.drops else (account,):
        with act_as.assumed():
            for process in Path("/proc").iterdir():
                # It may have ended, or belong to somebody else.
                with contextlib.suppress(OSError):
                    if process.name.isdigit() and test(process):
                        found.add(int(process.name))
    return found


def _holds(process: Path, file: os.stat_result) -> bool:
    for opened in (process / "fd").iterdir():
        with contextlib.suppress(FileNotFoundError):
            if os.path.samestat(opened.stat(), file):
                return True
    return False


def _die_with_parent(number: signal.Signals) -> Callable[[], None]:
    libc = ctypes.CDLL(None, use_errno=True)
    parent = os.getpid()

    def prepare() -> None:
        libc.prctl(PR_SET_PDEATHSIG, int(number))
        if os.getppid() != parent:  # It died before we asked.
            os.kill(os.getpid(), signal.SIGKILL)

    return prepare
