"""The launcher behind `make run`, as a real process on a state folder of its own."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psycopg

ROOT = Path(__file__).resolve().parent.parent
OURS = ("CARE_", "LOCALSTORE_", "SPINE_", "DJANGO_", "DATABASE_URL", "CELERY_", "SECRET_KEY", "PORT")
READY = "Ctrl-C stops everything"
START_SECONDS = 60


def clean_environment(**settings):
    """The environment as a person has it, who never set anything of ours, and these settings."""
    return {name: value for name, value in os.environ.items() if not name.startswith(OURS)} | settings


def run_launcher(**settings):
    """Runs the launcher where it cannot start; gives its exit code and all it said."""
    done = subprocess.run(
        [sys.executable, "-m", "config.embedded.run"],
        cwd=ROOT,
        env=clean_environment(**settings),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=START_SECONDS,
        check=False,
    )
    return done.returncode, done.stdout


def unused_port():
    with socket.socket() as asked:
        asked.bind(("127.0.0.1", 0))
        return asked.getsockname()[1]


def wait_for(condition, seconds=START_SECONDS, told=lambda: ""):
    """What `condition()` gives, once it is true; fails after `seconds`."""
    end = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < end, f"waited in vain. {told()}"
        time.sleep(0.05)
    return found


class Running:
    """One launcher at a time, in a session of its own as in a terminal."""

    def __init__(self, **settings):
        # Not below pytest's own folder: that is private, and the servers' account may not enter it.
        self.folder = Path(tempfile.mkdtemp(prefix="care-launch-"))
        self.folder.chmod(0o755)
        self.state = self.folder / "state"
        self.output = self.folder / "output"
        self.process = None
        self.settings = {
            "CARE_STATE_DIR": str(self.state),
            "CARE_DEMO_SCALE": "0.002",
            "LOCALSTORE_PORT": str(unused_port()),
        } | settings

    def start(self, **settings):
        """Starts it, and does not wait."""
        with self.output.open("w") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "config.embedded.run"],
                cwd=ROOT,
                env=clean_environment(**self.settings | settings),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def said(self):
        return self.output.read_text()

    def wait_until_said(self, text):
        def is_said():
            return text in self.said() or self.process.poll() is not None

        wait_for(is_said, told=self.said)
        assert text in self.said(), self.said()

    def end(self, number=signal.SIGINT):
        """Signals as a terminal does, to all of its foreground; gives the exit code."""
        os.killpg(self.process.pid, number)
        return self.process.wait(START_SECONDS)

    def kill(self):
        """As a power cut would: the launcher alone, without a word."""
        self.process.kill()
        self.process.wait()

    def family(self):
        """Each process below the launcher with its start time, by what the kernel says of parents."""
        parents = {}
        for folder in Path("/proc").iterdir():
            if folder.name.isdigit() and (facts := _facts(int(folder.name))):
                parents[int(folder.name)] = facts
        found, new = set(), {self.process.pid}
        while new:
            found |= new
            new = {pid for pid, (parent, _) in parents.items() if parent in new}
        return {(pid, parents[pid][1]) for pid in found - {self.process.pid}}

    def environment(self):
        return dict(line.split("=", 1) for line in (self.state / "env").read_text().splitlines())

    def connect(self):
        return psycopg.connect(self.environment()["DATABASE_URL"], autocommit=True)

    def clear(self):
        """Stops what runs, and takes the folder away."""
        if self.process and self.process.poll() is None:
            self.end()
        shutil.rmtree(self.folder)


def alive(processes):
    """Those that are still there; a number that was given to another process is not."""
    return {(pid, began) for pid, began in processes if (facts := _facts(pid)) and facts[1] == began}


def _facts(pid):
    """The parent and the start time of a process; nothing of one that ended."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    state, parent, *rest = text.rpartition(") ")[2].split()
    return None if state == "Z" else (int(parent), int(rest[17]))
