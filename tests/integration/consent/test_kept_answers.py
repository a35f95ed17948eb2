"""Answers that were typed and not saved: kept for their user for 20 hours, whatever became of the session."""

import datetime

import pytest
from django.conf import settings
from django.contrib.sessions.backends.db import SessionStore
from django.test import Client
from django.utils import timezone

from carerecords.models import Patient
from config.session_limits import SEEN
from consent import form_drafts
from consent.models import ConsentEvent, FormDraft, Sheet
from consent.tasks import forget_old_answers
from tests.factories import decide, make_patient
from tests.integration.consent.looking import answers as decision
from tests.integration.consent.looking import form_of, hidden, page_of, text, written
from tests.integration.consent.sheets import (
    CORE,
    NO,
    answers,
    chosen_on,
    make_people,
    make_sheet,
    row_of,
    row_url,
    top,
)
from tests.integration.consent.sheets import page_of as sheet_page

pytestmark = pytest.mark.django_db
NOTE = "Wants to talk to her daughter first"
TYPED = {"preference": NO, "source": "PHONE", "note": NOTE, "decided_on_day": "3", "reference": ""}


@pytest.fixture
def people(practice):
    return make_people(practice, 3)


@pytest.fixture
def sheet(gp, people):
    return make_sheet(gp, people)


def draft_of(patient):
    return f"{page_of(patient)}consent/draft/"


def age_session(client, minutes=16):
    """As if nobody had clicked for so long."""
    store = SessionStore(client.cookies[settings.SESSION_COOKIE_NAME].value)
    store[SEEN] = (timezone.now() - datetime.timedelta(minutes=minutes)).isoformat()
    store.save()


def age_drafts(hours):
    before = timezone.now() - datetime.timedelta(hours=hours)
    FormDraft.objects.update(saved_at=before)
    Sheet.objects.update(touched_at=before)


def shows_note(client, patient):
    return NOTE in client.get(page_of(patient)).content.decode()


# --- The decision form ----------------------------------------------------------------------------


def test_what_is_typed_comes_back_on_the_same_page_and_to_nobody_else(client, gp, staff, patient):
    client.force_login(gp)
    before = written()
    assert client.post(draft_of(patient), TYPED).status_code == 204
    page = client.get(page_of(patient))
    assert NOTE in page.content.decode() and "They are not saved yet." in text(page)
    assert 'value="EXPRESS_DISSENT" checked' in " ".join(page.content.decode().split())
    assert 'name="decided_on_day" type="text" value="3"' in " ".join(page.content.decode().split())
    assert written() == before
    assert not shows_note(client, make_patient(patient.practice))
    client.force_login(staff)
    assert not shows_note(client, patient)


def test_a_draft_goes_with_the_decision_and_when_its_user_clears_it(client, gp, patient):
    client.force_login(gp)
    client.post(draft_of(patient), TYPED)
    assert client.post(draft_of(patient), {"forget": "yes"})["Location"] == f"{page_of(patient)}#decision"
    assert not shows_note(client, patient)
    client.post(draft_of(patient), TYPED)
    client.post(form_of(patient), decision(NO, note=NOTE))
    assert ConsentEvent.objects.count() == 1 and not FormDraft.objects.exists()


def test_a_draft_that_comes_after_its_decision_is_not_kept(client, gp, patient):
    client.force_login(gp)
    key = "7f9ff1d6-9c43-4f4a-b16c-1b3b4a5cb7f1"
    client.post(form_of(patient), decision(NO, form_key=key))
    client.post(draft_of(patient), TYPED | {"form_key": key})
    assert not FormDraft.objects.exists()


def test_answers_from_before_somebody_elses_decision_are_told_apart_when_they_are_saved(
    client, gp, staff, patient
):
    client.force_login(gp)
    client.post(draft_of(patient), TYPED | {"seen": "", "form_key": "7f9ff1d6-9c43-4f4a-b16c-1b3b4a5cb7f1"})
    decide(patient, by=staff)
    seen = hidden(client.get(page_of(patient))).get("seen", "")
    answer = client.post(form_of(patient), decision(NO, seen=seen))
    assert answer.status_code == 409 and ConsentEvent.objects.count() == 1


@pytest.mark.parametrize("values", [{}, {"seen": "", "form_key": "x"}, {"preference": "", "note": ""}])
def test_nothing_typed_is_nothing_kept(client, gp, patient, values):
    client.force_login(gp)
    client.post(draft_of(patient), values)
    assert not FormDraft.objects.exists()


def test_a_draft_of_a_book_is_cut_and_a_note_too_long_is_whole(client, gp, patient):
    client.force_login(gp)
    client.post(
        draft_of(patient), TYPED | {"note": "n" * 1_500, "reference": "r" * 90_000, "other": "x" * 90_000}
    )
    kept = FormDraft.objects.get().values
    assert (
        len(kept["note"]) == 1_500 and len(kept["reference"]) == form_drafts.LONGEST and "other" not in kept
    )


def test_a_draft_lasts_20_hours_and_is_then_deleted(client, gp, patient, sheet, people):
    client.force_login(gp)
    client.post(draft_of(patient), TYPED)
    client.post(f"{sheet_page(sheet)}draft/", top() | answers(sheet, {people[0]: CORE}))
    age_drafts(hours=19.9)
    forget_old_answers()
    assert shows_note(client, patient) and chosen_on(client.get(sheet_page(sheet)))
    age_drafts(hours=20)
    assert not shows_note(client, patient) and client.get(sheet_page(sheet)).status_code == 302
    forget_old_answers()
    assert not FormDraft.objects.exists()
    assert Sheet.objects.get().typed == {} and row_of(sheet, people[0]).answer == ""


# --- A session that died --------------------------------------------------------------------------


def test_a_form_sent_too_late_is_kept_and_nothing_is_recorded(client, gp, patient):
    client.force_login(gp)
    client.get(page_of(patient))
    age_session(client)
    before = written()
    sent = client.post(form_of(patient), TYPED, HTTP_REFERER=f"http://testserver{page_of(patient)}")
    assert sent["Location"].startswith("/log-in/?") and "kept=yes" in sent["Location"]
    assert NOTE not in sent["Location"] and NOTE not in str(client.cookies)
    assert "Your unsaved answers are kept." in text(client.get(sent["Location"]))
    assert written() == before
    client.force_login(gp)
    assert shows_note(client, patient)


def test_a_sheet_sent_too_late_is_kept(client, gp, sheet, people):
    client.force_login(gp)
    client.get(sheet_page(sheet))
    age_session(client)
    chosen = answers(sheet, {people[0]: CORE, people[2]: NO})
    client.post(sheet_page(sheet), top(source="LETTER", reference="B 9") | chosen)
    client.force_login(gp)
    page = client.get(sheet_page(sheet))
    assert chosen_on(page) == chosen and "By letter" in text(page) and 'value="B 9"' in page.content.decode()
    assert not ConsentEvent.objects.exists()
    age_session(client)
    late = answers(sheet, {people[1]: CORE})
    assert client.post(row_url(row_of(sheet, people[1])), top() | late).status_code == 302
    client.force_login(gp)
    assert chosen_on(client.get(sheet_page(sheet))) == chosen | late
    assert not ConsentEvent.objects.exists()


@pytest.mark.parametrize("wrong", ["stranger", "another site", "a page that keeps nothing", "no such page"])
def test_what_comes_too_late_from_the_wrong_place_is_not_kept(gp, stranger, patient, wrong):
    client = Client(enforce_csrf_checks=wrong == "another site")
    client.force_login(stranger if wrong == "stranger" else gp)
    client.get("/help/")
    age_session(client)
    path = {"a page that keeps nothing": "/patients/search/", "no such page": "/patients/nobody/"}.get(wrong)
    sent = client.post(path or form_of(patient), TYPED)
    assert sent.status_code == 302 and "kept" not in sent["Location"]
    assert not FormDraft.objects.exists()


def test_late_answers_for_a_sheet_that_has_ended_or_is_anothers_are_not_kept(
    client, gp, staff, sheet, people
):
    chosen = top() | answers(sheet, {people[0]: CORE})
    for user in (staff, gp):
        client.force_login(user)
        client.get("/help/")
        age_session(client)
        age_drafts(hours=20)
        assert "kept" not in client.post(sheet_page(sheet), chosen)["Location"]
    assert row_of(sheet, people[0]).answer == ""


# --- The sheet ------------------------------------------------------------------------------------


def test_a_sheets_draft_holds_its_top_and_answers_and_saves_nothing(client, gp, sheet, people):
    client.force_login(gp)
    chosen = answers(sheet, {people[0]: CORE})
    assert (
        client.post(f"{sheet_page(sheet)}draft/", top() | chosen | {"decided_on_day": "31x"}).status_code
        == 204
    )
    page = client.get(sheet_page(sheet))
    assert chosen_on(page) == chosen and 'value="31x"' in page.content.decode()
    assert not ConsentEvent.objects.exists() and Patient.objects.filter(consent_state="NONE").count() == 3


def test_a_draft_that_comes_after_the_save_chooses_nothing(client, gp, sheet, people):
    client.force_login(gp)
    sent = top() | answers(sheet, {people[0]: CORE})
    client.post(sheet_page(sheet), sent)
    client.post(f"{sheet_page(sheet)}draft/", sent)
    client.post(sheet_page(sheet), top() | {"undo": row_of(sheet, people[0]).public_id})
    client.post(f"{sheet_page(sheet)}draft/", sent)
    assert not chosen_on(client.get(sheet_page(sheet)))


def test_todays_date_is_filled_in_and_everything_else_stays(client, gp, sheet, people):
    client.force_login(gp)
    chosen = answers(sheet, {people[1]: NO})
    typed = {"source": "PHONE", "reference": "R 1", "today": "yes"}
    assert client.post(sheet_page(sheet), typed | chosen)["Location"].endswith("#id_decided_on-today")
    page, today = client.get(sheet_page(sheet)), timezone.localdate()
    assert chosen_on(page) == chosen and f"By phone, {today.day}" in text(page)
    assert not ConsentEvent.objects.exists()
