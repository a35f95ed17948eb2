"""What every test runs under: the personas, a shut network, tables that can be emptied."""

import ipaddress
import re
import socket

import pytest
from django.db import connection

from tests.personas import *  # fixtures, found by name


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup, django_db_blocker):
    """Lets Django empty the append-only tables of the test database, and of no other.

    Django's flush after a transactional test is a TRUNCATE, which these tables refuse. UPDATE and
    DELETE stay refused; an architecture test switches the triggers on again to see them refuse.
    """
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        cursor.execute("SELECT tgrelid::regclass::text FROM pg_trigger WHERE tgname = 'append_only_truncate'")
        for (table,) in cursor.fetchall():
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER append_only_truncate")


@pytest.fixture(scope="session", autouse=True)
def shut_network():
    """Refuses connections and look-ups beyond this machine: a test that needs them is wrong."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("connect", "connect_ex"):
            patch.setattr(socket.socket, name, _guarded(getattr(socket.socket, name)))
        look_up = socket.getaddrinfo
        patch.setattr(socket, "getaddrinfo", lambda host, *rest, **more: look_up(_local(host), *rest, **more))
        yield


def _guarded(connect):
    def guarded(self, address):
        if self.family in (socket.AF_INET, socket.AF_INET6):
            _local(address[0])
        return connect(self, address)

    return guarded


def _local(host):
    """The host, if it is this machine; else raises."""
    name = host.decode() if isinstance(host, bytes) else host
    if name in (None, "", "localhost", "0.0.0.0", "::") or _is_loopback(name):
        return host
    raise RuntimeError(f"A test reached for {name}; only this machine is allowed.")


def _is_loopback(name):
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


_CHANCE = re.compile(r"[0-9a-fA-F]{8}(?:-?[0-9a-fA-F]{4}){3}-?[0-9a-fA-F]{12}|(?<![0-9])999[0-9]{7}(?![0-9])")


def pytest_make_parametrize_id(val):
    """A case whose value holds a fresh id or NHS number is named alike in every process and run."""
    text = val if isinstance(val, str) else repr(val)
    return _CHANCE.sub("new", text) if _CHANCE.search(text) else None
