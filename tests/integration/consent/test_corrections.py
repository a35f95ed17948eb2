"""Putting decisions right: marked as invalid, a conflict confirmed, consent withdrawn, a letter back."""

import datetime

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from carerecords.access_log import PAGE
from carerecords.models import AccessEvent, Patient, UploadJob
from carerecords.permissions import Role
from consent.actions import Evidence
from consent.codes import ConsentModel, Preference, Source
from consent.letters import letters_sent
from consent.models import ConsentEvent, ConsentModelRevision, NoticeLetter
from tests.factories import decide, make_patient, make_user
from tests.integration.consent.looking import addresses, answers, form_of, hidden, page_of, text, written

pytestmark = pytest.mark.django_db
CORE, MORE, NO = Preference.EXPRESS_CORE, Preference.EXPRESS_ADDITIONAL, Preference.EXPRESS_DISSENT
BEFORE = timezone.now() - datetime.timedelta(days=3)


def invalid_of(event):
    return f"{page_of(event.patient)}consent/{event.public_id}/invalid/"


def state_of(patient):
    return Patient.objects.get(pk=patient.pk).consent_state


# --- Marked as invalid -----------------------------------------------------------------------------


@pytest.mark.parametrize("who", ["gp", "manager", "privacy_officer"])
def test_an_old_decision_is_marked_with_a_reason_after_a_check(visit, patient, gp, who):
    decide(patient, NO, by=gp, at=BEFORE - datetime.timedelta(days=9))
    event = decide(patient, CORE, by=gp, at=BEFORE).event
    client, reason = visit(who), "For ADEYEMI,\nnot for this patient <b>"
    assert invalid_of(event) in addresses(client.get(page_of(patient)))
    before = written()
    check = client.post(invalid_of(event), {"note": reason})
    assert "Check and confirm" in text(check) and "Holds after this Consent refused" in text(check)
    assert written() == before and state_of(patient) == "EXPRESS_CORE"
    told = client.post(invalid_of(event), hidden(check), follow=True)
    assert "marked as recorded in error" in text(told) and "What holds now: Consent refused." in text(told)
    mark = ConsentEvent.objects.get(reverses=event)
    assert (mark.kind, mark.note) == ("INVALID", reason) and state_of(patient) == "EXPRESS_DISSENT"
    assert f"<s>{event.get_preference_display()}</s>" in told.content.decode()
    assert "Recorded in error" in text(told) and "not for this patient &lt;b&gt;" in told.content.decode()
    look = AccessEvent.objects.get(kind="UNDO")
    assert look.detail == "EXPRESS_CORE marked as invalid, back to EXPRESS_DISSENT"


def test_what_was_sent_is_taken_back_and_it_says_so(visit, patient, gp):
    event = decide(patient, CORE, by=gp, at=BEFORE).event
    UploadJob.objects.update(state="ACCEPTED", finished_at=BEFORE, due_at=None)
    told = visit("gp").post(invalid_of(event), {"note": "Wrong", "confirmed": "yes"}, follow=True)
    assert "Removal from the Spine was asked for at" in text(told)
    assert UploadJob.objects.latest("pk").kind == "WITHDRAWAL"


@pytest.mark.parametrize(
    ("note", "error"),
    [
        ("", "Enter why this decision is not right"),
        ("  \n ", "Enter why this decision is not right"),
        ("x" * 1001, "Reason must be 1,000 characters or less"),
    ],
)
def test_a_reason_is_needed_and_what_was_typed_is_kept(visit, patient, gp, note, error):
    event = decide(patient, by=gp, at=BEFORE).event
    before = written()
    page = visit("gp").post(invalid_of(event), {"note": note, "confirmed": "yes"})
    assert error in text(page) and "<title>Error: " in page.content.decode()
    assert note.strip() in page.content.decode() and written() == before


def test_change_brings_back_what_was_typed(visit, patient, gp):
    event = decide(patient, by=gp, at=BEFORE).event
    page = visit("gp").post(invalid_of(event), {"note": "Wrong person", "confirmed": "yes", "change": "yes"})
    assert "Wrong person</textarea>" in page.content.decode() and state_of(patient) == "EXPRESS_CORE"


def test_twice_is_told_and_changes_nothing(visit, patient, gp):
    event = decide(patient, by=gp, at=BEFORE).event
    sent = {"note": "Wrong", "confirmed": "yes"}
    client = visit("gp")
    client.post(invalid_of(event), sent)
    before = written()
    assert "already taken back" in text(client.post(invalid_of(event), sent, follow=True))
    assert "already taken back" in text(client.get(invalid_of(event), follow=True))
    assert written() == before


@pytest.mark.parametrize(("who", "status"), [("staff", 403), ("stranger", 404), ("auditor", 403)])
def test_others_may_not_mark(visit, patient, gp, who, status):
    event = decide(patient, by=gp, at=BEFORE).event
    before, client = written(), visit(who)
    assert client.get(invalid_of(event)).status_code == status
    assert client.post(invalid_of(event), {"note": "x", "confirmed": "yes"}).status_code == status
    assert written() == before


def test_an_event_of_another_patient_is_not_found(visit, patient, practice, gp):
    event = decide(make_patient(practice), by=gp).event
    assert visit("gp").get(f"{page_of(patient)}consent/{event.public_id}/invalid/").status_code == 404


# --- Withdrawn -------------------------------------------------------------------------------------


def test_only_consent_that_stands_is_offered_to_be_withdrawn(visit, patient, gp):
    client = visit("gp")
    offered = 'value="WITHDRAWN"'
    assert offered not in client.get(page_of(patient)).content.decode()
    decide(patient, by=gp, at=BEFORE)
    assert offered in client.get(page_of(patient)).content.decode()
    seen = hidden(client.get(page_of(patient)))
    page = client.post(form_of(patient), seen | answers("WITHDRAWN"))
    assert "Enter why consent was withdrawn" in text(page) and state_of(patient) == "EXPRESS_CORE"
    told = client.post(form_of(patient), seen | answers("WITHDRAWN", note="Wants to read more"), follow=True)
    assert "Consent withdrawn recorded for" in text(told) and state_of(patient) == "WITHDRAWN"
    assert "Wants to read more" in text(told) and offered not in told.content.decode()


# --- Two decisions that disagree ---------------------------------------------------------------------


@pytest.fixture
def conflict(patient, gp, staff):
    """Consent and refusal of one day, neither recorded in view of the other."""
    sides = [
        decide(patient, CORE, by=gp, reference="L 7").event,
        decide(patient, NO, by=staff, source=Source.PHONE).event,
    ]
    assert state_of(patient) == "CONFLICT"
    return sides


def confirm_of(event):
    return f"{page_of(event.patient)}consent/{event.public_id}/confirm/"


def fields_of(page):
    """What each "Confirm this decision" sends."""
    fields = hidden(page)
    return {name: fields[name] for name in ("seen", "form_key")}


@pytest.mark.parametrize("who", ["gp", "privacy_officer"])
@pytest.mark.parametrize("side", [0, 1])
def test_either_side_is_confirmed_by_a_new_decision(visit, patient, conflict, who, side):
    client = visit(who)
    page = client.get(page_of(patient))
    assert {confirm_of(event) for event in conflict} <= set(addresses(page))
    assert conflict[0].recorded_by.short_name in text(page) and "By phone" in text(page)
    sent = fields_of(page)
    told = client.post(confirm_of(conflict[side]), sent, follow=True)
    event = ConsentEvent.objects.latest("pk")
    assert (event.preference, event.source) == (conflict[side].preference, conflict[side].source)
    assert event.supersedes_id == conflict[1].pk and event.decided_on == conflict[side].decided_on
    assert state_of(patient) == conflict[side].preference
    assert "recorded for" in text(told) and "Confirmed, after two decisions" in text(told)
    assert "Decisions that disagree" not in text(told)
    detail = f"CONFLICT to {conflict[side].preference}, confirmed"
    assert AccessEvent.objects.get(kind="DECISION").detail == detail
    # Pressed twice: one decision, and the same words.
    client.post(confirm_of(conflict[side]), sent)
    assert ConsentEvent.objects.count() == 3


def test_somebody_else_was_first(visit, patient, conflict, gp):
    client = visit("gp")
    sent = fields_of(client.get(page_of(patient)))
    decide(patient, MORE, by=gp, seen=Patient.objects.get(pk=patient.pk).consent_event_id)
    before = written()
    told = client.post(confirm_of(conflict[0]), sent, follow=True)
    assert "These decisions no longer disagree. Nothing was changed." in text(told) and written() == before


def test_a_third_answer_came_meanwhile(visit, patient, conflict, gp):
    client = visit("gp")
    sent = fields_of(client.get(page_of(patient)))
    decide(patient, MORE, by=gp)
    before = written()
    told = client.post(confirm_of(conflict[0]), sent, follow=True)
    assert "This record changed while you were working." in text(told) and written() == before


@pytest.mark.parametrize(("who", "status"), [("staff", 403), ("manager", 403), ("stranger", 404)])
def test_others_see_both_and_may_not_confirm(visit, patient, conflict, who, status):
    client, before = visit(who), written()
    page = client.get(page_of(patient))
    assert confirm_of(conflict[0]) not in addresses(page)
    if status == 403:
        assert "A GP or the privacy officer can confirm one of them." in text(page)
    assert client.post(confirm_of(conflict[0])).status_code == status and written() == before


def test_a_withdrawal_is_a_side_too(visit, patient, gp):
    decide(patient, CORE, by=gp, at=BEFORE)
    today = timezone.localdate()
    why = Evidence(Source.PHONE, note="Not now")
    event = decide(patient, Preference.WITHDRAWN, by=gp, decided_on=today, evidence=why).event
    decide(patient, NO, by=gp, decided_on=today)
    client = visit("gp")
    page = client.get(page_of(patient))
    assert state_of(patient) == "CONFLICT"
    client.post(confirm_of(event), fields_of(page))
    assert state_of(patient) == "WITHDRAWN"


# --- Letters -----------------------------------------------------------------------------------------


def send_letter(patient, by, days_ago, reference=""):
    day = timezone.localdate() - datetime.timedelta(days=days_ago)
    letters_sent(patient_ids=[patient.pk], sent_on=day, reference=reference, by=by, at=timezone.now())
    return NoticeLetter.objects.latest("pk")


def test_a_letter_comes_back(visit, patient, staff):
    send_letter(patient, staff, 90, "Autumn")
    letter = send_letter(patient, staff, 20)
    client = visit("staff")
    address = f"{page_of(patient)}letters/{letter.public_id}/returned/"
    page = client.get(page_of(patient))
    assert address in addresses(page) and "reference Autumn" in text(page)
    told = client.post(address, follow=True)
    assert "It counts as not sent" in text(told) and "Letter came back undelivered" in text(told)
    assert address not in addresses(told)
    found = Patient.objects.get(pk=patient.pk)
    assert found.letter_sent_on == timezone.localdate() - datetime.timedelta(days=90)
    again = client.post(address, follow=True)
    assert "already noted as returned" in text(again) and NoticeLetter.objects.count() == 3


@pytest.mark.parametrize(("who", "status"), [("privacy_officer", 403), ("stranger", 404)])
def test_others_note_no_letter(visit, patient, staff, who, status):
    letter = send_letter(patient, staff, 20)
    client = visit(who)
    address = f"{page_of(patient)}letters/{letter.public_id}/returned/"
    assert client.post(address).status_code == status and NoticeLetter.objects.count() == 1


def test_a_letter_of_another_patient_is_not_found(visit, patient, practice, staff):
    letter = send_letter(make_patient(practice), staff, 20)
    address = f"{page_of(patient)}letters/{letter.public_id}/returned/"
    assert visit("staff").post(address).status_code == 404


@pytest.mark.parametrize(
    ("model", "days_ago", "said"),
    [
        (None, 20, "silence after a letter is never taken for consent"),
        (ConsentModel.IMPLIED_CORE, 20, "The time to object ends on"),
        (ConsentModel.IMPLIED_CORE, 200, "The time to object ended on"),
        (ConsentModel.IMPLIED_CORE, None, "After one there are 8 weeks."),
    ],
)
def test_until_when_one_may_object(visit, patient, staff, model, days_ago, said):
    if model:
        ConsentModelRevision.objects.create(
            model=model,
            effective_from=datetime.date(2020, 1, 1),
            letter_weeks=8,
            reason="Test",
            recorded_at=timezone.now(),
        )
    if days_ago:
        send_letter(patient, staff, days_ago)
    assert said in text(visit("gp").get(page_of(patient)))


# --- The whole of it -----------------------------------------------------------------------------------


def test_a_long_history_is_cut_and_whole_on_its_own_page(visit, patient, gp):
    for number in range(12):
        decide(patient, NO if number % 2 else CORE, by=gp, reference=f"Ref {number:02}")
    client = visit("gp")
    page, whole = client.get(page_of(patient)), client.get(f"{page_of(patient)}history/")
    assert "Show the whole history (2 older lines)" in text(page)
    assert "Ref 01" not in text(page) and "Ref 00" in text(whole) and "Ref 11" in text(whole)


def test_who_has_looked_is_paged_whole_and_logs_itself(visit, patient, gp, privacy_officer):
    at = timezone.now() - datetime.timedelta(days=1)
    AccessEvent.objects.bulk_create(
        AccessEvent(
            at=at,
            user=gp,
            role="GP",
            practice=patient.practice,
            patient=patient,
            kind="VIEWED",
            detail=f"page {n}",
        )
        for n in range(PAGE + 5)
    )
    client, address = visit("privacy_officer"), f"{page_of(patient)}access/"
    first = client.get(address)
    assert f"{PAGE + 6} lines, newest first" in text(first)
    assert "Opened the record: who has looked" in text(first) and privacy_officer.name in text(first)
    assert patient.practice.name in text(first) and "page 6" in text(first) and "page 5 " not in text(first)
    [older] = [one for one in addresses(first) if "before=" in one]
    # Nothing is lost or shown twice between the pages, though all lines are of one moment.
    second = client.get(older)
    shown = [n for n in range(PAGE + 5) if f">Opened the record: page {n}<" in second.content.decode()]
    assert shown == list(range(5 + 1))
    made_up = client.get(f"{address}?before=1")
    assert f"{PAGE + 8} lines, newest first" in text(made_up) and "page 7 " not in text(made_up)
    whole = client.get(f"{address}?all=yes")
    assert all(f"Opened the record: page {n}" in text(whole) for n in range(PAGE + 5))
    assert AccessEvent.objects.filter(patient=patient, detail="who has looked").count() == 4


@pytest.mark.parametrize("who", ["gp", "staff", "manager"])
def test_the_access_log_is_the_privacy_officers(visit, patient, who):
    client = visit(who)
    assert client.get(f"{page_of(patient)}access/").status_code == 403
    assert f"{page_of(patient)}access/" not in addresses(client.get(page_of(patient)))


def test_another_practices_privacy_officer_finds_nothing(client, patient):
    client.force_login(make_user(Role.PRIVACY_OFFICER))
    assert client.get(f"{page_of(patient)}access/").status_code == 404
    assert not AccessEvent.objects.filter(patient=patient).exists()


def test_codes_in_the_log_are_words_on_the_page(visit, patient, gp):
    client = visit("gp")
    client.post(form_of(patient), answers("EXPRESS_DISSENT"))
    assert "Recorded a decision: No decision to Consent refused" in text(client.get(page_of(patient)))


def test_the_log_costs_the_same_however_long(visit, patient, gp, privacy_officer):
    client, address = visit("privacy_officer"), f"{page_of(patient)}access/"
    client.get(address)

    def cost():
        with CaptureQueriesContext(connection) as found:
            client.get(address)
        return len(found)

    before = cost()
    for _ in range(12):
        client.get(address)
    assert cost() == before <= 12
