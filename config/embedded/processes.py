"""Starting child processes that cannot outlive us, under an account that may run servers."""

import contextlib
import ctypes
import os
import pwd
import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

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


def server_account() -> Account:
    """The account for servers."""
    if os.getuid() != 0:
        return own_account()
    entry = pwd.getpwnam(UNPRIVILEGED)
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


def _die_with_parent(number: signal.Signals) -> Callable[[], None]:
    libc = ctypes.CDLL(None, use_errno=True)
    parent = os.getpid()

    def prepare() -> None:
        libc.prctl(PR_SET_PDEATHSIG, int(number))
        if os.getppid() != parent:  # It died before we asked.
            os.kill(os.getpid(), signal.SIGKILL)

    return prepare
