"""Saving a sheet: what was answered and nothing else, each once, under the rules of the patient's page."""

import datetime

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from carerecords import doorbell
from carerecords.models import AccessEvent, Patient, UploadJob
from consent.codes import Preference
from consent.models import ConsentEvent, Deferral, SheetRow
from consent.sheet import saving
from tests.factories import decide, make_practice
from tests.integration.consent.looking import addresses, text, undo_of, written
from tests.integration.consent.sheets import (
    CORE,
    NO,
    answers,
    chosen_on,
    drawn,
    make_people,
    make_sheet,
    page_of,
    row_of,
    row_url,
    states,
    top,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def people(practice):
    return make_people(practice, 5)


@pytest.fixture
def sheet(gp, people):
    return make_sheet(gp, people)


@pytest.fixture
def mine(client, gp):
    client.force_login(gp)
    return client


def post(client, sheet, chosen, **changes):
    return client.post(page_of(sheet), top() | answers(sheet, chosen) | changes)


# --- What is saved --------------------------------------------------------------------------------


def test_only_answered_rows_are_saved_with_source_date_and_sheet(mine, gp, sheet, people):
    day = timezone.localdate() - datetime.timedelta(days=3)
    date = {"decided_on_day": day.day, "decided_on_month": day.month, "decided_on_year": day.year}
    answer = post(mine, sheet, {people[0]: CORE, people[3]: NO}, source="LETTER", reference="B 12", **date)
    assert answer["Location"] == f"{page_of(sheet)}?saved=1#result"
    assert states(sheet) == [CORE, "NONE", "NONE", NO, "NONE"]
    for event in ConsentEvent.objects.all():
        assert (event.source, event.reference, event.decided_on) == ("LETTER", "B 12", day)
        assert (event.recorded_by, event.effective_from) == (gp, day)
    details = set(AccessEvent.objects.filter(kind="DECISION").values_list("patient", "detail"))
    assert details == {
        (people[0].pk, f"NONE to {CORE}, sheet {sheet.public_id}"),
        (people[3].pk, f"NONE to {NO}, sheet {sheet.public_id}"),
    }
    page = mine.get(answer["Location"])
    told = text(page)
    assert "2 decisions saved Consent recorded for PERSON001, Grace. Undo" in told
    assert "Refusal recorded for PERSON004, Grace. Undo" in told
    assert "2 of 5 decided, 0 deferred" in told and len(drawn(page)) == 3


def test_nobody_answered_is_no_refusal(mine, sheet):
    before = written()
    answer = post(mine, sheet, {})
    assert "Select at least one decision" in text(answer) and text(answer).startswith(" Error: ")
    assert written() == before and set(states(sheet)) == {"NONE"}


@pytest.mark.parametrize(
    ("who", "changes", "told"),
    [
        ("gp", {"source": ""}, "Select how patients told you"),
        ("gp", {"source": "REPRESENTATIVE"}, "Select how patients told you"),
        ("gp", {"decided_on_month": ""}, "Date of decision must include a month"),
        ("gp", {"decided_on_day": "31", "decided_on_month": "2"}, "Date of decision must be a real date"),
        ("gp", {"decided_on_year": "2999"}, "Date of decision must be today or in the past"),
        ("gp", {"decided_on_year": "1999"}, "Date of decision must be the same as or after 1 April 2007"),
        ("gp", {"source": "FORM"}, "Enter a letter or form reference"),
        ("gp", {"reference": "x" * 51}, "Letter or form reference must be 50 characters or less"),
        ("staff", {}, "Enter a letter or form reference"),
        ("manager", {}, "Enter a letter or form reference"),
    ],
)
def test_each_fault_of_the_top_is_told_and_every_answer_is_kept(client, request, people, who, changes, told):
    user = request.getfixturevalue(who)
    client.force_login(user)
    sheet, before = make_sheet(user, people), written()
    answer = post(client, sheet, {people[1]: CORE, people[2]: NO}, **changes)
    assert told in text(answer) and text(answer).startswith(" Error: ")
    assert written() == before
    assert (
        chosen_on(answer)
        == chosen_on(client.get(page_of(sheet)))
        == answers(sheet, {people[1]: CORE, people[2]: NO})
    )


def test_staff_record_a_refusal_without_a_reference_as_on_the_patients_page(client, staff, people):
    client.force_login(staff)
    sheet = make_sheet(staff, people)
    assert post(client, sheet, {people[0]: NO}).status_code == 302
    assert post(client, sheet, {people[1]: CORE}, reference="F 7").status_code == 302
    assert states(sheet)[:2] == [NO, CORE]


@pytest.mark.parametrize("answer", ["EXPRESS_ADDITIONAL", "NONE", "WITHDRAWN", "IMPLIED_CORE", ""])
def test_additional_information_and_other_answers_are_never_on_the_sheet(mine, sheet, people, answer):
    before = written()
    assert "Select at least one decision" in text(post(mine, sheet, {people[0]: answer}))
    one = mine.post(row_url(row_of(sheet, people[0])), top() | answers(sheet, {people[0]: answer}))
    assert one.status_code == 400 and written() == before
    assert answer == "" or answer not in mine.get(page_of(sheet)).content.decode()


def test_a_row_of_another_sheet_is_no_answer(mine, gp, staff, sheet, people):
    theirs = make_sheet(staff, people[:1])
    before = written()
    assert "Select at least one decision" in text(
        mine.post(page_of(sheet), top() | answers(theirs, {people[0]: CORE}))
    )
    address = f"{page_of(sheet)}rows/{row_of(theirs, people[0]).public_id}/"
    assert mine.post(address, top() | answers(theirs, {people[0]: CORE})).status_code == 404
    assert written() == before


def test_a_date_before_a_birth_stops_that_row_and_no_other(mine, gp, practice):
    young, old = make_people(practice, 1, born_on=datetime.date(2009, 5, 1)) + make_people(practice, 1)
    sheet = make_sheet(gp, [young, old])
    date = {"decided_on_day": "1", "decided_on_month": "4", "decided_on_year": "2009"}
    page = mine.get(post(mine, sheet, {young: CORE, old: CORE}, **date)["Location"])
    assert "1 of 2 decisions saved" in text(page)
    assert "Not saved: Date of decision must be the same as or after the date of birth" in text(page)
    assert states(sheet) == ["NONE", CORE] and list(chosen_on(page).values()) == [CORE]


# --- Twice, late, and by two ----------------------------------------------------------------------


def test_the_same_form_sent_twice_records_once(mine, sheet, people):
    sent = top() | answers(sheet, dict.fromkeys(people, CORE))
    mine.post(page_of(sheet), sent)
    after = written()
    again = mine.post(page_of(sheet), sent)
    assert written() == after and ConsentEvent.objects.count() == 5
    assert "5 decisions saved" in text(mine.get(again["Location"]))


def test_a_late_copy_of_what_was_undone_does_not_bring_it_back(mine, sheet, people):
    sent = top() | answers(sheet, {people[0]: CORE})
    mine.post(page_of(sheet), sent)
    mine.post(page_of(sheet), top() | {"undo": row_of(sheet, people[0]).public_id})
    after = written()
    for answer in (mine.post(page_of(sheet), sent), mine.post(row_url(row_of(sheet, people[0])), sent)):
        assert answer.status_code in {302, 409}
    assert written() == after and states(sheet)[0] == "NONE"
    page = mine.get(f"{page_of(sheet)}?saved=2")
    assert "this row changed since the page was opened. Choose again" in text(page)
    assert not chosen_on(page)


@pytest.mark.parametrize("way", ["whole sheet", "row alone"])
def test_a_row_that_somebody_changed_meanwhile_is_not_overwritten(mine, staff, sheet, people, way):
    decide(people[0], Preference.EXPRESS_DISSENT, by=staff)
    if way == "row alone":
        answer = mine.post(row_url(row_of(sheet, people[0])), top() | answers(sheet, {people[0]: CORE}))
        assert answer.status_code == 409
        told = answer.json()["say"]
        assert "Your answer was: Consents" in answer.json()["choices"]
    else:
        told = text(mine.get(post(mine, sheet, {people[0]: CORE, people[1]: CORE})["Location"]))
        assert "1 of 2 decisions saved" in told and states(sheet)[1] == CORE
        assert "Recorded now What was decided Express dissent (opt out)" in told
        assert "Your answer What was decided Consents" in told
    assert f"Decision for PERSON001, Grace was changed by {staff.short_name} at" in told
    assert "Your answer was not saved" in told and states(sheet)[0] == NO
    page = mine.get(page_of(sheet))
    assert f"/patients/{people[0].public_id}/" in addresses(page) and len(drawn(page)) <= 4


def test_two_users_with_the_same_patient_on_their_sheets(client, gp, staff, people):
    one, other = make_sheet(gp, people), make_sheet(staff, people)
    client.force_login(gp)
    post(client, one, {people[0]: CORE})
    client.force_login(staff)
    answer = post(client, other, {people[0]: NO, people[1]: NO})
    assert states(one)[:2] == [CORE, NO]
    assert f"was changed by {gp.short_name} at" in text(client.get(answer["Location"]))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"died_on": timezone.localdate()}, "Died on"),
        ({"left_on": timezone.localdate()}, "Left the practice on"),
        ({"is_sensitive": True}, "Sensitive record"),
        ("elsewhere", "Is now registered at another practice"),
    ],
)
def test_a_patient_who_cannot_be_asked_any_more_is_left_alone(mine, sheet, people, change, told):
    name = answers(sheet, {people[0]: CORE})
    fields = {"practice": make_practice()} if change == "elsewhere" else change
    Patient.objects.filter(pk=people[0].pk).update(**fields)
    before = written()
    page = mine.get(page_of(sheet))
    assert told in text(page) and not set(name) & set(drawn(page))
    assert ("PERSON001" in text(page)) == (change != "elsewhere")
    mine.post(page_of(sheet), top() | name)
    mine.post(row_url(row_of(sheet, people[0])), top() | name)
    assert written() == before and "1 can no longer be decided here" in text(page)


# --- One row alone, as the page's script sends it -------------------------------------------------


def test_a_row_saves_by_itself_and_by_the_button_it_is_the_same_decision(mine, sheet, people):
    sent = top() | answers(sheet, {people[0]: CORE})
    for _ in range(2):
        answer = mine.post(row_url(row_of(sheet, people[0])), sent)
        assert (answer.status_code, answer.json()["state"]) == (200, "decided")
        assert answer.json()["say"] == "Consent recorded for PERSON001, Grace. Undo"
        assert "Consent given" in answer.json()["status"]
    page = mine.get(mine.post(page_of(sheet), sent)["Location"])
    assert ConsentEvent.objects.count() == 1 and "1 decision saved" in text(page)


def test_a_row_without_a_top_is_not_saved_and_is_kept(mine, sheet, people):
    sent = answers(sheet, {people[0]: NO})
    answer = mine.post(row_url(row_of(sheet, people[0])), sent)
    assert answer.status_code == 400
    assert answer.json() == {"state": "unsaved", "say": "Select how patients told you"}
    page = mine.get(page_of(sheet))
    assert chosen_on(page) == sent and "Not saved – press Save decisions" in text(page)
    assert "1 answer chosen and not saved yet." in text(page) and set(states(sheet)) == {"NONE"}


def test_a_row_is_undone_by_itself_and_asks_again(mine, sheet, people):
    row = row_of(sheet, people[0])
    mine.post(row_url(row), top() | answers(sheet, {people[0]: CORE}))
    for said in ("Decision undone for PERSON001, Grace.", "was already undone"):
        answer = mine.post(row_url(row), {"undo": "yes"})
        assert answer.status_code == 200 and said in answer.json()["say"]
    assert 'type="radio"' in answer.json()["choices"]
    assert states(sheet)[0] == "NONE"
    assert UploadJob.objects.get().state == "CANCELLED"
    assert ConsentEvent.objects.count() == 2  # both lines stay in the history
    again = mine.post(row_url(row), top() | answers(sheet, {people[0]: NO}))
    assert again.json()["state"] == "decided" and states(sheet)[0] == NO


def test_undone_on_the_patients_own_page_the_row_asks_again(mine, sheet, people):
    post(mine, sheet, {people[0]: CORE})
    mine.post(undo_of(ConsentEvent.objects.get()))
    page = mine.get(page_of(sheet))
    assert len(drawn(page)) == 5 and "0 of 5 decided" in text(page)
    mine.post(page_of(sheet), top() | {drawn(page)[0]: NO})
    assert states(sheet)[0] == NO


@pytest.mark.parametrize("way", ["button", "script"])
def test_ones_own_decision_is_undone_within_its_time_only(client, staff, people, way, settings):
    settings.UNDO_WINDOW_SECONDS = 900
    client.force_login(staff)
    sheet = make_sheet(staff, people)
    post(client, sheet, {people[0]: NO})
    settings.UNDO_WINDOW_SECONDS = -1
    before, row = written(), row_of(sheet, people[0])
    assert "Undo" not in text(client.get(page_of(sheet)))
    if way == "script":
        told = client.post(row_url(row), {"undo": "yes"}).json()["say"]
    else:
        told = text(client.get(client.post(page_of(sheet), {"undo": row.public_id})["Location"]))
    assert "The time to undo this decision yourself has passed." in told and written() == before


# --- Put off --------------------------------------------------------------------------------------


def test_a_deferred_row_counts_as_done_and_what_was_chosen_elsewhere_stays(mine, sheet, people):
    row = row_of(sheet, people[1])
    chosen = answers(sheet, {people[0]: CORE})
    address = mine.post(page_of(sheet), top() | chosen | {"defer": row.public_id})["Location"]
    assert address == f"{row_url(row)}defer/"
    assert "PERSON002, Grace" in text(mine.get(address))
    sent = {"reason": "OTHER", "more": "Is on holiday", "ask": "28"}
    assert mine.post(address, sent)["Location"] == f"{page_of(sheet)}#row-2"
    mine.post(address, sent)
    deferral = Deferral.objects.get()
    assert deferral.until == timezone.localdate() + datetime.timedelta(days=28)
    assert deferral.reason == "Another reason: Is on holiday"
    page = mine.get(page_of(sheet))
    assert "0 of 5 decided, 1 deferred" in text(page) and chosen_on(page) == chosen
    assert not ConsentEvent.objects.exists()
    mine.post(page_of(sheet), {"ask": row.public_id})
    assert "0 of 5 decided, 0 deferred" in text(mine.get(page_of(sheet)))


@pytest.mark.parametrize(
    ("sent", "told"),
    [
        ({"ask": "7"}, "Select why this decision is put off"),
        ({"reason": "TIME"}, "Select when to ask again"),
        ({"reason": "TIME", "ask": "9999"}, "Select when to ask again"),
        ({"reason": "OTHER", "ask": "7"}, "Enter the reason"),
        ({"reason": "OTHER", "ask": "7", "more": "x" * 121}, "must be 120 characters or less"),
    ],
)
def test_each_fault_of_a_deferral_is_told(mine, sheet, people, sent, told):
    answer = mine.post(f"{row_url(row_of(sheet, people[0]))}defer/", sent)
    assert told in text(answer) and not Deferral.objects.exists()


def test_all_done_is_said(mine, sheet, people):
    post(mine, sheet, dict.fromkeys(people, CORE))
    page = mine.get(page_of(sheet))
    assert "5 of 5 decided, 0 deferred This sheet is finished. Start another sheet" in text(page)
    assert "Save decisions" not in text(page).split("This sheet is finished")[1]


# --- Cost -----------------------------------------------------------------------------------------


def queries(work):
    with CaptureQueriesContext(connection) as captured:
        answer = work()
    return len(captured), answer


def test_a_sheet_of_100_asks_as_often_as_one_of_25(mine, gp, staff, practice):
    """With rows of every kind on both."""
    people = make_people(practice, 125)
    sheets = make_sheet(gp, people[:25]), make_sheet(gp, people[25:])
    counted = []
    for sheet, rows in zip(sheets, (people[:25], people[25:]), strict=True):
        post(mine, sheet, dict.fromkeys(rows[:2], CORE))
        decide(rows[2], Preference.EXPRESS_DISSENT, by=staff)
        mine.post(f"{row_url(row_of(sheet, rows[3]))}defer/", {"reason": "TIME", "ask": "7"})
        mine.get(page_of(sheet))
        number, answer = queries(lambda sheet=sheet: mine.get(page_of(sheet)))
        assert len(drawn(answer)) == len(rows) - 4
        counted.append(number)
    assert counted[0] == counted[1] <= 14


def test_saving_costs_the_same_for_each_row_and_little_beside(mine, gp, practice):
    people = make_people(practice, 30)
    sheets = make_sheet(gp, people[:5]), make_sheet(gp, people[5:])
    mine.get("/help/")  # the first request of a session writes it
    few, many = (queries(lambda sent=sent: mine.post(*sent))[0] for sent in map(whole, sheets))
    a_row, rest = divmod(many - few, 20)
    assert rest == 0 and few - 5 * a_row <= 12, (few, many)
    assert a_row <= 14, a_row


def whole(sheet):
    """Address and form of a sheet on which everybody consents."""
    names = {saving.name_of(row): CORE for row in SheetRow.objects.filter(sheet=sheet)}
    return page_of(sheet), top() | names


def test_a_sheet_rings_the_workers_once(mine, sheet, people, monkeypatch, django_capture_on_commit_callbacks):
    rung = []
    monkeypatch.setattr(doorbell, "ring_for", lambda *args, **more: rung.append(args) or True)
    with doorbell.held():
        doorbell.ring()
        doorbell.ring()
        assert rung == []
    assert len(rung) == 1
    with doorbell.held():
        pass
    doorbell.ring()
    assert len(rung) == 2
