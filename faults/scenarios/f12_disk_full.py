"""F12: the disk of the database full, then that of the logs."""

from faults.trial import NotRun, Trial


def run(trial: Trial) -> None:
    raise NotRun(
        "it needs a small file system for the data, and so rights to mount one; nobody has written it yet"
    )
