"""Senders put the nation's facts together again whenever anything changed, whoever changed it and however."""

import datetime
import itertools
import re

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from boycott.models import PositionRevision
from spine.facts import load_nation
from spine.models import StopRevision
from spine.sending import kept_nation as module
from spine.sending.kept_nation import TABLES, kept_nation
from tests.factories import make_practice
from tests.policy_factories import agree_to, make_dispensation, start_boycott

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def nothing_kept():
    module._kept.clear()
    yield
    module._kept.clear()


def both():
    """What a sender sees, which must be what is recorded; in how many queries."""
    at = timezone.now()
    with CaptureQueriesContext(
        connection,
    ) as asked:
        kept = kept_nation(at)
    assert kept == load_nation(at)
    return kept, len(asked)


def stop(stopped=True):
    return StopRevision.objects.create(stopped=stopped, reason="Test", made_at=timezone.now())


def test_one_query_while_nothing_changes():
    assert both()[1] > 1
    assert both()[1] == both()[1] == 1


def test_every_change_is_seen_at_once():
    practice = make_practice()
    seen = [both()[0]]
    start_boycott()
    seen.append(both()[0])
    agree_to(make_dispensation([practice], PositionRevision.objects.get()))
    seen.append(both()[0])
    stop()
    seen.append(both()[0])
    stop(stopped=False)
    seen.append(both()[0])
    facts = [(one.revisions, one.stopped, one.stop_id) for one in seen]
    assert all(before != after for before, after in itertools.pairwise(facts))
    assert both()[1] == 1


def test_what_is_rolled_back_is_not_believed():
    before = both()[0]
    with transaction.atomic():
        stop()
        assert both()[0].stopped
        transaction.set_rollback(True)
    assert not both()[0].stopped and both()[0].revisions == before.revisions


def test_a_change_between_its_two_looks_is_not_taken_for_older(monkeypatch):
    """It is read with what came before it, and must not stand for that later."""

    def changing(at):
        nation = load_nation(at)
        stop()
        return nation

    monkeypatch.setattr(module, "load_nation", changing)
    assert not kept_nation(timezone.now()).stopped
    monkeypatch.undo()
    assert both()[0].stopped


def test_a_new_day_is_asked_about_anew():
    at = timezone.now()
    kept_nation(at)
    tomorrow = at + datetime.timedelta(days=1)
    with CaptureQueriesContext(connection) as asked:
        assert kept_nation(tomorrow) == load_nation(tomorrow)
    assert len(asked) > 2


def test_no_table_is_left_out():
    start_boycott()
    with CaptureQueriesContext(connection) as asked:
        load_nation(timezone.now())
    read = {table for each in asked for table in re.findall(r'(?:FROM|JOIN) "(\w+)"', each["sql"])}
    assert read == set(TABLES), "what is read, and what is looked at for changes"
    assert PositionRevision._meta.db_table in read
