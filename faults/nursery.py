"""Senders by the hundred: one process loads the product once and forks a sender for each order.

A fork takes milliseconds where a start takes seconds, and what is killed is a real process with its own
connections. `python -m faults.nursery` reads one order a line on standard input and tells the pid.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from itertools import count
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Order:
    """What a sender does. `sends` and `recovers`: threads of each. `limit`: jobs a batch (0: as it learns).

    `dies_at`: a point of `faults.hooks`, at its `nth` passing. `freezes_at`: the same, by SIGSTOP.
    `ladder`: seconds of each rung, where a scenario cannot wait for the deployed ones. `clock_off`: seconds
    by which this process's wall clock is wrong. `loses_commits`: the chance that a connection is cut at a COMMIT,
    before it or before its answer. `nice`: by how much it gives way to others on the processor.
    """

    told: str = ""
    sends: int = 1
    recovers: int = 0
    limit: int = 0
    rest: float = 0.05
    dies_at: str = ""
    freezes_at: str = ""
    nth: int = 1
    ladder: float = 0.0
    clock_off: float = 0.0
    loses_commits: float = 0.0
    nice: int = 0


class Sender:
    """One forked sender, and what it told."""

    def __init__(self, pid: int, told: Path) -> None:
        self.pid, self.told = pid, told

    @property
    def is_alive(self) -> bool:
        try:
            state = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            return False
        return state not in "ZX"

    @property
    def is_frozen(self) -> bool:
        with suppress(OSError):
            return Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"
        return False

    def signal(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError):
            os.kill(self.pid, number)

    def stop(self, seconds: float = 20) -> None:
        """Asks it to finish its batch and end."""
        self.signal(signal.SIGTERM)
        end = time.monotonic() + seconds
        while self.is_alive and time.monotonic() < end:
            time.sleep(0.01)
        if self.is_alive:
            # Where it hangs goes to the senders' log.
            self.signal(signal.SIGUSR1)
            time.sleep(0.5)
            self.signal(signal.SIGKILL)
            raise AssertionError(f"A sender did not end within {seconds:.0f} s")

    def notes(self) -> list[dict[str, Any]]:
        """What it told so far; a line that death cut off is left out."""
        lines = self.told.read_text().splitlines() if self.told.exists() else []
        found = []
        for line in lines:
            with suppress(ValueError):
                found.append(json.loads(line))
        return found


class Nursery:
    """The process that forks senders; all die with it."""

    def __init__(self, environment: Mapping[str, str], folder: Path, log: Path) -> None:
        self._folder = folder
        self._numbers = count(len(list(folder.glob("sender*.jsonl"))) + 1)
        self.senders: list[Sender] = []
        self.log = log
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "faults.planted", "faults.nursery"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=output,
                text=True,
                env=os.environ | dict(environment),
                cwd=PROJECT,
            )
        if self._answer() != "ready":
            raise AssertionError(f"Senders do not start: {self.log.read_text()[-2000:]}")

    def start(self, **what: Any) -> Sender:
        """Forks a sender; `what` as in `Order`."""
        told = self._folder / f"sender{next(self._numbers)}.jsonl"
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(asdict(Order(told=str(told), **what))) + "\n")
        self._process.stdin.flush()
        sender = Sender(int(self._answer()), told)
        self.senders.append(sender)
        return sender

    def stop_all(self) -> None:
        """Ends every sender in peace; raises if one had ended by an error of its own."""
        for sender in self.senders:
            if sender.is_alive and not sender.is_frozen:
                sender.signal(signal.SIGTERM)
        for sender in self.senders:
            if not sender.is_frozen:
                sender.stop()
        self.check()
        self.senders = [one for one in self.senders if one.is_frozen]

    def check(self) -> None:
        """Raises if a sender met an error that it did not get over."""
        errors = [note["error"] for one in self.senders for note in one.notes() if "error" in note]
        if errors:
            raise AssertionError(f"{len(errors)} senders met errors: {errors[0]}")

    def close(self) -> None:
        for sender in self.senders:
            if sender.is_alive:
                sender.signal(signal.SIGKILL)
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            assert stream is not None
            with suppress(OSError):
                stream.close()

    def _answer(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()


def main() -> None:
    import django

    django.setup()
    from faults import sending

    # Nobody waits for them: the kernel forgets each when it ends.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    print("ready", flush=True)
    for line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            sending.run(Order(**json.loads(line)))
        print(pid, flush=True)


if __name__ == "__main__":
    main()
