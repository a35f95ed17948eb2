"""Moments come from the database as they were put there, and as Django itself would read them."""

import datetime

import pytest
from django.db import DataError, connection
from django.db.backends.postgresql.psycopg_any import BaseTzLoader
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from config.database.moments import UtcLoader

ZONES = ["UTC", "Europe/London", "Asia/Kolkata", "America/St_Johns"]


class Django(BaseTzLoader):
    timezone = datetime.UTC


def read(cursor, text):
    cursor.execute("SELECT %s::timestamptz", [text])
    return cursor.fetchone()[0]


@settings(
    max_examples=100,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    database=None,
)
@given(moment=st.datetimes(timezones=st.just(datetime.UTC)), zone=st.sampled_from(ZONES))
def test_any_moment_arrives_as_it_is(db, moment, zone):
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('timezone', %s, true)", [zone])
        try:
            assert (read(cursor, moment), read(cursor, moment).tzinfo) == (moment, datetime.UTC)
        finally:
            cursor.execute("SET LOCAL timezone TO DEFAULT")


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], database=None
)
@given(moment=st.datetimes(timezones=st.just(datetime.UTC)))
def test_it_is_what_django_reads(db, moment):
    with connection.cursor() as cursor:
        cursor.execute("SELECT %s::timestamptz::text", [moment])
        text = cursor.fetchone()[0].encode()
        context = cursor.connection
        assert UtcLoader(0, context).load(text) == Django(0, context).load(text) == moment


@pytest.mark.parametrize("never", ["infinity", "-infinity", "0044-03-15 12:00+00 BC", "10000-01-01 00:00+00"])
def test_what_python_has_no_moment_for_is_refused(db, never):
    with connection.cursor() as cursor, pytest.raises(DataError):
        read(cursor, never)
