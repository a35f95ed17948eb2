"""A pooler in front of a site's PostgreSQL: PgBouncer where there is one, else `faults.transaction_pool` in its place."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from config.embedded.postgres import USER
from config.embedded.processes import Account, own_account, server_account
from config.embedded.services import Service
from faults.site import PROJECT, Site, connected_to, wait_until
from faults.transaction_pool import PORT

# Names a PgBouncer that is not on the path.
VARIABLE = "CARE_PGBOUNCER_BINARY"
START_SECONDS = 20
_SETTINGS = """
[databases]
{database} = host={servers} dbname={database} user={user}
[pgbouncer]
listen_addr =
listen_port = {port}
unix_socket_dir = {folder}
auth_type = any
pool_mode = transaction
default_pool_size = {sessions}
max_client_conn = 500
; Each transaction gets another session.
server_round_robin = 1
"""


@contextmanager
def pooled(site: Site, sessions: int) -> Iterator[str]:
    """Inside, whatever works at this site, this process too, shares so many sessions of the server. Says by what."""
    account, binary = server_account(), os.environ.get(VARIABLE) or shutil.which("pgbouncer")
    folder = Path(tempfile.mkdtemp(prefix="care-b-"))
    account.own(folder)
    service = (
        _bouncer(site, binary, folder, sessions, account) if binary else _stand_in(site, folder, sessions)
    )
    url = f"postgresql://{USER}@/{site.name}?host={folder}&port={PORT}"
    try:
        service.start()
        wait_until(lambda: _answers(url), START_SECONDS, "the pooler answers")
        site.pooled_url = url
        with connected_to(url):
            yield _version(binary) if binary else "a pooler of our own in PgBouncer's place"
    finally:
        site.pooled_url = ""
        service.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _bouncer(site: Site, binary: str, folder: Path, sessions: int, account: Account) -> Service:
    """It does not run as root, and needs to reach PostgreSQL's socket: so under the servers' account."""
    settings = folder / "pgbouncer.ini"
    values = {"database": site.name, "servers": site.ground.postgres.sockets, "user": USER}
    settings.write_text(_SETTINGS.format(port=PORT, folder=folder, sessions=sessions, **values))
    return Service("PgBouncer", [binary, str(settings)], {}, account, site.logs / "pooler.log", folder)


def _stand_in(site: Site, folder: Path, sessions: int) -> Service:
    places = (folder, site.ground.postgres.sockets, site.name, sessions)
    command = [sys.executable, "-m", "faults.transaction_pool", *map(str, places)]
    return Service("The pooler", command, {}, own_account(), site.logs / "pooler.log", PROJECT)


def _answers(url: str) -> bool:
    try:
        psycopg.connect(url, connect_timeout=5).close()
    except psycopg.OperationalError:
        return False
    return True


def _version(binary: str) -> str:
    said = subprocess.run([binary, "--version"], capture_output=True, text=True, check=True).stdout
    return said.splitlines()[0]
