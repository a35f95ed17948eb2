"""Whom a sheet asks: the right patients in the right order, frozen, and a list that was typed well."""

import datetime

import pytest
from django.utils import timezone

from consent import deferrals
from consent.codes import Preference
from consent.models import Sheet
from consent.sheet import choosing
from consent.sheet.choosing import BadLine
from tests.factories import decide, make_patient
from tests.integration.consent.looking import addresses, hidden, text
from tests.integration.consent.sheets import START, make_people, make_sheet, page_of

pytestmark = pytest.mark.django_db
TODAY = timezone.localdate()
DAY = datetime.timedelta(days=1)


def born(years, days=0):
    return choosing.years_before(TODAY, years) + datetime.timedelta(days=days)


@pytest.fixture
def surgery(practice, gp):
    """Somebody for each reason to be left out, and two who are asked."""
    people = {
        "late": make_patient(practice, registered_on=datetime.date(2020, 1, 6)),
        "early": make_patient(practice, registered_on=datetime.date(2001, 1, 6), born_on=born(16)),
        "child": make_patient(practice, born_on=born(16, days=1)),
        "sensitive": make_patient(practice, is_sensitive=True),
        "dead": make_patient(practice, died_on=TODAY),
        "gone": make_patient(practice, left_on=TODAY),
        "decided": make_patient(practice),
        "deferred": make_patient(practice),
        "elsewhere": make_patient(),
    }
    decide(people["decided"], Preference.EXPRESS_DISSENT, by=gp)
    put_off(people["deferred"], gp, TODAY + DAY)
    return people


def put_off(patient, by, until):
    deferrals.defer(
        patient_ids=[patient.pk], until=until, reason="More time", by=by, at=timezone.now() - 30 * DAY
    )


def lines(*people):
    return "\n".join(f"{one.nhs_number} {one.born_on:%d/%m/%Y}" for one in people)


def test_who_has_been_registered_longest_comes_first_and_many_are_left_out(practice, surgery):
    choice = choosing.oldest(practice, 25, TODAY)
    assert choice.patients == [surgery["early"], surgery["late"]]
    assert choosing.oldest(practice, 1, TODAY).patients == [surgery["early"]]


def test_who_was_deferred_comes_back_on_the_day_or_when_asked_now(practice, gp, surgery):
    put_off(surgery["late"], gp, TODAY)
    assert surgery["late"] in choosing.oldest(practice, 25, TODAY).patients
    assert surgery["deferred"] not in choosing.oldest(practice, 25, TODAY).patients
    assert surgery["deferred"] in choosing.oldest(practice, 25, TODAY + DAY).patients
    ids = list(deferrals.running(practice, TODAY).values_list("pk", flat=True))
    deferrals.end_deferrals(deferral_ids=ids, today=TODAY, by=gp, at=timezone.now())
    assert surgery["deferred"] in choosing.oldest(practice, 25, TODAY).patients


def test_patients_of_one_gp_and_of_one_day_of_letters(practice, gp, surgery):
    mine = make_patient(practice, usual_gp=gp)
    sent = datetime.date(2026, 3, 2)
    written_to = make_patient(practice, letter_sent_on=sent)
    make_patient(practice, letter_sent_on=sent, is_sensitive=True)
    assert choosing.of_gp(practice, gp, 25, TODAY).patients == [mine]
    assert choosing.of_letters(practice, sent, 25, TODAY).patients == [written_to]
    assert choosing.letter_days(practice, TODAY) == [(sent, 1)]


def test_a_typed_list_keeps_its_order_and_says_who_was_left_out(practice, surgery):
    typed = lines(*[person for name, person in surgery.items() if name != "elsewhere"], surgery["late"])
    choice = choosing.of_lines(practice, f"\n{typed}\n\n", TODAY)
    assert choice.patients == [surgery["late"], surgery["early"]]
    assert choice.left_out == (
        "Left out of 8 patients: 1 under 16, 1 with a sensitive record, 2 died or left, "
        "1 with a decision already, 1 deferred until later."
    )


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ("", "Enter the NHS number and date of birth of each patient"),
        ("{number}", "Line 2 must have an NHS number and a date of birth"),
        ("12/05/1945", "Line 2 must have an NHS number and a date of birth"),
        ("{number} 31/02/1945", "Line 2: Date of birth must be a real date"),
        ("9991234568 12/05/1945", "Line 2: Check the NHS number – it is not one that can exist"),
        ("{number} 13/05/1945", "Line 2: no patient of your practice has this NHS number and date of birth"),
        ("{foreign}", "Line 2: no patient of your practice has this NHS number and date of birth"),
    ],
)
def test_a_line_that_is_wrong_is_named_and_nothing_is_made(client, gp, practice, surgery, wrong, told):
    """Never by the number alone, and never another practice's."""
    fair = surgery["late"]
    second = wrong.format(number=surgery["early"].nhs_number, foreign=lines(surgery["elsewhere"]))
    typed = f"{lines(fair)}\n{second}" if wrong else ""
    with pytest.raises(BadLine) as fault:
        choosing.of_lines(practice, typed, TODAY)
    assert str(fault.value) == told
    client.force_login(gp)
    answer = start(client, by="LINES", lines=typed)
    assert told in text(answer) and text(answer).startswith(" Error: ")
    assert second in answer.content.decode() and not Sheet.objects.exists()


def test_a_list_of_more_than_a_hundred_is_too_long(practice, surgery):
    with pytest.raises(BadLine, match=r"Enter 100 patients or fewer\. This list has 101"):
        choosing.of_lines(practice, "\n".join([lines(surgery["late"])] * 101), TODAY)


# --- The first page -------------------------------------------------------------------------------


def start(client, **changes):
    sent = {"by": "OLDEST", "size": "25", "sheet": hidden(client.get(START)).get("sheet", "")} | changes
    return client.post(START, sent)


def test_a_sheet_is_frozen_and_the_form_sent_twice_gives_one(client, gp, practice, surgery):
    client.force_login(gp)
    key = "7f9ff1d6-9c43-4f4a-b16c-1b3b4a5cb7f1"
    first, again = start(client, sheet=key), start(client, sheet=key)
    sheet = Sheet.objects.get()
    assert first["Location"] == again["Location"] == page_of(sheet)
    decide(surgery["early"], by=gp)
    make_patient(practice)
    assert [row.patient for row in sheet.rows.order_by("position")] == [surgery["early"], surgery["late"]]


def test_somebody_elses_key_makes_no_sheet_of_theirs_mine(client, gp, staff, surgery):
    theirs = make_sheet(staff, [surgery["late"]])
    client.force_login(gp)
    assert start(client, sheet=str(theirs.public_id)).status_code == 404
    assert client.get(page_of(theirs)).status_code == 404
    assert Sheet.objects.get().user == staff


@pytest.mark.parametrize(
    ("sent", "told"),
    [
        ({"by": "GP"}, "Select a GP"),
        ({"by": "GP", "gp": "somebody"}, "Select a GP"),
        ({"by": "LETTERS"}, "Select a letter batch"),
        ({"by": "LETTERS", "sent_on": "2026-02-30"}, "Select a letter batch"),
        ({"size": "26"}, "Select how many patients"),
        ({"by": "LINES", "lines": " "}, "Enter the NHS number and date of birth of each patient"),
        ({"by": "LINES", "lines": "x" * 10_001}, "List must be 10,000 characters or less"),
    ],
)
def test_each_wrong_start_is_told_and_makes_nothing(client, practice, gp, sent, told):
    make_patient(practice, usual_gp=gp, letter_sent_on=datetime.date(2026, 3, 2))
    client.force_login(gp)
    answer = start(client, **sent)
    assert told in text(answer) and not Sheet.objects.exists()


def test_nobody_without_a_decision(client, gp, practice):
    client.force_login(gp)
    assert "No patients without a decision." in text(client.get(START))
    gone = make_patient(practice, left_on=TODAY)
    make_patient(practice)
    answer = start(client, by="LINES", lines=lines(gone))
    assert "No patients without a decision in this list. Left out of 1 patient: 1 died or left." in text(
        answer
    )
    assert not Sheet.objects.exists()


def test_a_sheet_in_hand_is_offered_first_and_one_that_is_finished_or_old_is_not(client, gp, practice):
    people = make_people(practice, 3)
    now = timezone.now()
    mine = make_sheet(gp, people)
    old = make_sheet(gp, people, at=now - datetime.timedelta(hours=20))
    done = make_sheet(gp, people[:1])
    decide(people[0], by=gp)
    client.force_login(gp)
    page = client.get(START)
    assert "0 of 3 decided, 0 deferred, 1 changed by somebody else" in text(page)
    assert page_of(mine) in addresses(page)
    assert not {page_of(old), page_of(done)} & set(addresses(page))
    ended = client.get(page_of(old))
    assert ended["Location"] == START and "has ended" in text(client.get(START))
