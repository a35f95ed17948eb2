"""`make run`, from its first line to nothing left behind, with every process it starts."""

import contextlib
import os
import signal
import socket
import stat
import urllib.error
import urllib.request

import psycopg
import pytest

from tests.launcher import READY, Running, alive, run_launcher, wait_for

PROGRESS = [
    "- Starting PostgreSQL",
    "- Starting the broker",
    "- Preparing the database",
    "- Loading the demo",
    "- Starting the local store",
    "- Starting the web server",
    "- Starting the worker",
    "- Starting the clock",
    "Ready after",
    "The product",
    "The local store",
    "Logs",
    READY,
]


@pytest.fixture(scope="module")
def another_program():
    """Listens on the port that the launcher is told to use."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        yield taken.getsockname()[1]


@pytest.fixture(scope="module")
def launcher(another_program):
    launcher = Running(PORT=str(another_program), DATABASE_ANSWER_SECONDS="1")
    yield launcher
    launcher.clear()


@pytest.fixture
def running(launcher):
    """The launcher, up; one that a test stopped is started again."""
    if launcher.process is None or launcher.process.poll() is not None:
        launcher.start()
    launcher.wait_until_said(READY)
    return launcher


@pytest.fixture
def kept(running):
    """A line in the database, and how to look whether it is still there."""
    with running.connect() as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS kept (line text)")
        connection.execute("TRUNCATE kept")
        connection.execute("INSERT INTO kept VALUES ('of a person')")

    def is_kept():
        try:
            with running.connect() as connection:
                return connection.execute("SELECT line FROM kept").fetchall() == [("of a person",)]
        except psycopg.OperationalError:
            return False

    return is_kept


def name_of(pid):
    """Its command line; nothing of one that has ended meanwhile."""
    try:
        with open(f"/proc/{pid}/cmdline") as file:
            return file.read()
    except OSError:
        return ""


def server_of(running):
    """The process number of the PostgreSQL server."""
    return next((pid for pid, _ in running.family() if "postgres\0-D\0" in name_of(pid)), None)


def test_a_start_that_is_killed_while_it_loads_the_demo_leaves_no_process_and_no_half_demo(launcher):
    launcher.start(CARE_DEMO_SCALE="0.5")  # Long enough to be in the middle of it.
    launcher.wait_until_said("Loading the demo")
    family = launcher.family()
    launcher.kill()
    wait_for(lambda: not alive(family), 30)

    launcher.start()
    launcher.wait_until_said(READY)

    assert "Loaded " in launcher.said()


def test_every_step_is_told_in_its_order(running):
    said = running.said()
    assert [line for line in PROGRESS if line in said] == PROGRESS
    assert [said.index(line) for line in PROGRESS] == sorted(said.index(line) for line in PROGRESS)


def test_a_taken_port_is_said_and_the_next_free_one_is_used(running, another_program):
    said = running.said()
    address = (running.state / "running").read_text()
    port = address.rstrip("/").rpartition(":")[2]
    assert f"{another_program} is taken. PORT names another" in said
    assert f"The web server takes port {port}" in said
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/log-in/", timeout=10) as answer:
        assert answer.status == 200


def test_a_second_start_on_the_same_folder_names_the_first_and_harms_nothing(running, kept):
    before = running.family()
    address = (running.state / "running").read_text()

    code, said = run_launcher(**running.settings)

    assert code == 1
    assert f"It is running already: {address}" in said
    assert (running.state / "running").read_text() == address
    assert (running.state / "env").exists()
    assert kept()
    servers = {pid for pid, _ in before if any(word in name_of(pid) for word in ("-m", "valkey", "-D"))}
    assert servers
    assert servers <= {pid for pid, _ in running.family()}


def test_what_the_folder_holds_is_for_its_owner_alone(running):
    for name in ("env", "secret-key", "running", "postgres", "broker"):
        mode = stat.S_IMODE((running.state / name).stat().st_mode)
        assert mode & 0o077 == 0, name


@pytest.mark.skipif(os.getuid() != 0, reason="only root has a privilege to give up")
def test_servers_started_by_root_run_as_somebody_else(running):
    owners = {
        name.partition("\0")[0].rpartition("/")[2]: os.stat(f"/proc/{pid}").st_uid
        for pid, _ in running.family()
        if (name := name_of(pid)) and ("-D\0" in name or "valkey" in name)
    }
    assert len(owners) == 2
    assert 0 not in owners.values()


def test_a_killed_database_comes_back_with_its_data_though_a_statement_still_runs(running, kept):
    server = server_of(running)
    with contextlib.closing(running.connect()) as busy:
        # Never looks whether its server is still there.
        busy.pgconn.send_query(
            b"SELECT count(*) FROM generate_series(1, 1000000) a, generate_series(1, 100000) b"
        )
        backend = busy.info.backend_pid
        wait_for(lambda: "SELECT" in name_of(backend))
        statement = {process for process in running.family() if process[0] == backend}
        assert statement

        os.kill(server, signal.SIGKILL)

        wait_for(lambda: server_of(running) not in (None, server) and kept(), told=running.said)
        assert not alive(statement)
    assert running.process.poll() is None
    wait_for(lambda: "Postgres ended by itself and was started again" in running.said(), told=running.said)


def test_pages_do_not_wait_for_a_frozen_database_and_go_on_when_it_thaws(running):
    health = (running.state / "running").read_text() + "health/"
    servers = {pid for pid, _ in running.family() if name_of(pid).startswith("postgres:")} | {
        server_of(running)
    }
    for pid in servers:
        os.kill(pid, signal.SIGSTOP)
    try:
        with pytest.raises(urllib.error.HTTPError) as answer:
            urllib.request.urlopen(health, timeout=30)
        assert answer.value.status == 503
        answer.value.close()
    finally:
        for pid in servers:
            os.kill(pid, signal.SIGCONT)

    def is_well():
        try:
            with urllib.request.urlopen(health, timeout=30) as answer:
                return answer.status == 200
        except urllib.error.HTTPError as error:
            error.close()
            return False

    wait_for(is_well, told=running.said)


def test_a_killed_worker_is_started_again_and_its_children_end(running):
    workers = wait_for(lambda: len(found := workers_of(running)) == 3 and found)
    # The first one started the others.
    os.kill(min(workers, key=lambda process: process[1])[0], signal.SIGKILL)
    wait_for(lambda: "The worker ended by itself (code -9) and was started again" in running.said())
    wait_for(lambda: not alive(workers), 10)
    wait_for(lambda: len(workers_of(running)) == 3)


def workers_of(running):
    return {process for process in running.family() if "config\0worker\0" in name_of(process[0])}


def test_a_killed_launcher_leaves_no_process_and_the_next_start_has_the_data(running, kept):
    family = running.family()
    assert len(family) > 10

    running.kill()
    running.start()  # At once: what the killed one left may still be ending.
    running.wait_until_said(READY)

    assert not alive(family)
    assert "The demo is there already" in running.said()
    assert kept()


def test_ctrl_c_stops_everything_and_leaves_nothing(running):
    family = running.family()
    broker = running.environment()["CELERY_BROKER_URL"].removeprefix("redis+socket://").partition("?")[0]
    assert os.path.exists(broker)

    assert running.end(signal.SIGINT) == 0

    assert not alive(family)
    assert not os.path.exists(os.path.dirname(broker))
    assert not (running.state / "env").exists()
    assert running.said().endswith("Stopping…\nStopped.\n")


def test_ctrl_c_while_it_starts_ends_without_a_fault_and_leaves_nothing(launcher):
    if launcher.process and launcher.process.poll() is None:
        launcher.end()
    launcher.start()
    launcher.wait_until_said("Preparing the database")
    family = launcher.family()
    assert family

    assert launcher.end(signal.SIGINT) == 0

    assert not alive(family)
    assert "Traceback" not in launcher.said()
