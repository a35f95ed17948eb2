"""Our rows against the ledger of a store that began empty: each kind of difference is found."""

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from carerecords.models import UploadJob
from consent.codes import Preference
from spine.models import StoreCopy
from tests.factories import decide, make_item, make_patient
from tests.integration.spine.conftest import Sending
from tests.localstore_process import fresh_nhs_number, running_store


@pytest.fixture(scope="module")
def localstore():
    """A store of this module's own: its ledger is compared whole."""
    yield from running_store()


@pytest.fixture
def sent(sending: Sending, practice, gp):
    """Three uploads and a withdrawal, accepted. Rows go after each test and ledger lines stay."""
    patients = [make_patient(practice, usual_gp=gp, nhs_number=fresh_nhs_number()) for _ in range(3)]
    for patient in patients:
        make_item(patient)
    decided = [decide(patient) for patient in patients]
    sending.all_due()
    decide(patients[0], Preference.EXPRESS_DISSENT, seen=decided[0].event.pk)
    sending.all_due()
    return patients


def reconcile(capsys):
    """The exit code and the lines printed."""
    try:
        call_command("reconcile")
    except SystemExit as end:
        return end.code, capsys.readouterr().out
    return 0, capsys.readouterr().out


@pytest.fixture(autouse=True)
def only_new_lines(sending, monkeypatch):
    """Leaves out what earlier tests of this module sent: their rows are gone."""
    from spine.uploads import ledger

    read = ledger._read
    monkeypatch.setattr(
        ledger, "_read", lambda *asked: (e for e in read(*asked) if e["sequence"] > sending.from_line)
    )


def test_agreement(sent, capsys):
    code, out = reconcile(capsys)
    assert code == 0
    assert out.splitlines()[-1] == "0 differences"
    assert out.startswith("4 accepted lines in the store's ledger, 4 accepted jobs here")


@pytest.mark.parametrize(
    "spoil, sentence",
    [
        ("DELETE FROM spine_receipt; DELETE FROM spine_uploadattempt", "nothing here meant to send it"),
        ("UPDATE carerecords_uploadjob SET state = 'CANCELLED'", "not recorded as accepted here"),
        ("UPDATE spine_receipt SET body_sha256 = repeat('0', 64)", "other bytes"),
        ("UPDATE spine_uploadattempt SET at = now() + interval '1 day'", "before the intent"),
        ("UPDATE spine_uploadattempt SET scope = 'BLANK'", "blank at the store but not here"),
        ("UPDATE spine_storecopy SET composition_id = 'another'", "another copy is current"),
        (
            "UPDATE carerecords_patient SET nhs_number = translate(nhs_number, '9', '8')",
            "another patient's number",
        ),
        (
            "UPDATE spine_uploadattempt SET composition_id = gen_random_uuid()",
            "recorded as accepted here, but not in the ledger",
        ),
    ],
)
def test_each_difference_is_found(sent, capsys, spoil, sentence):
    with connection.cursor() as cursor:
        # Only a superuser's session may look past the triggers that keep these tables.
        cursor.execute(
            f"SET session_replication_role = replica; {spoil}; SET session_replication_role = origin"
        )
    code, out = reconcile(capsys)
    assert code == 1
    assert sentence in out


def test_what_is_on_its_way_is_counted_apart(sent, capsys):
    StoreCopy.objects.all().delete()
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE carerecords_uploadjob SET state = 'SENDING', finished_at = NULL, lease_until = now() "
            "WHERE id IN (SELECT max(id) FROM carerecords_uploadjob GROUP BY patient_id)"
        )
    code, out = reconcile(capsys)
    assert (code, UploadJob.objects.filter(state="SENDING").count()) == (0, 3)
    assert "3 on their way or in doubt" in out


def test_a_store_that_does_not_answer(settings):
    settings.SPINE_LEDGER_URL = "http://127.0.0.1:9/ledger"
    with pytest.raises(CommandError, match="does not answer"):
        call_command("reconcile")


def test_no_ledger_to_read(settings):
    settings.SPINE_LEDGER_URL = ""
    with pytest.raises(CommandError, match="SPINE_LEDGER_URL"):
        call_command("reconcile")


@pytest.fixture(scope="module")
def guarded():
    yield from running_store(LOCALSTORE_BEARER_TOKEN="the application", LOCALSTORE_USER_TOKEN="a person")


class TestGuardedStore:
    """A store that asks for tokens lets its ledger be read with one of them."""

    @pytest.mark.parametrize("name", ["SPINE_BEARER_TOKEN", "SPINE_USER_TOKEN"])
    def test_it_shows_the_token_that_it_has(self, db, settings, guarded, capsys, name):
        settings.SPINE_LEDGER_URL = f"{guarded.base_url}/ledger"
        setattr(settings, name, {"SPINE_BEARER_TOKEN": "the application"}.get(name, "a person"))
        assert reconcile(capsys)[0] == 0

    @pytest.mark.parametrize("token", ["", "another"])
    def test_it_says_that_it_is_not_let_in(self, db, settings, guarded, token):
        settings.SPINE_LEDGER_URL = f"{guarded.base_url}/ledger"
        settings.SPINE_BEARER_TOKEN = token
        with pytest.raises(CommandError, match=r"does not let its ledger be read \(401\)"):
            call_command("reconcile")
