"""Tables of what is shown, row by row from ISB 1503 to 1506 and the service manual."""

import datetime
from types import SimpleNamespace

import pytest
from markupsafe import Markup

from carerecords import formats

UTC = datetime.UTC


def test_nhs_number_is_three_three_four_and_never_wrapped():
    assert formats.nhs_number("9991234567") == '<span class="care-nowrap">999 123 4567</span>'


def test_missing_nhs_number_says_so():
    assert formats.nhs_number("") == formats.NOT_KNOWN


@pytest.mark.parametrize(
    ("title", "given", "family", "shown"),
    [
        ("Ms", "Grace", "Adeyemi", "ADEYEMI, Grace (Ms)"),
        ("", "Grace", "Adeyemi", "ADEYEMI, Grace"),
        ("Dr", "Anne-Marie", "o'Neill-Smythe", "O'NEILL-SMYTHE, Anne-Marie (Dr)"),
        ("Mr", "G" * 35, "F" * 35, f"{'F' * 35}, {'G' * 35} (Mr)"),
    ],
)
def test_patient_name(title, given, family, shown):
    person = SimpleNamespace(title=title, given_name=given, family_name=family)
    assert formats.patient_name(person) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("ORCHID HOUSE SURGERY", "Orchid House Surgery"),
        ("THE HOLLIES, THE GREEN,BUDE", "The Hollies, The Green, Bude"),
        ("PRACTICE OF THE GREEN", "Practice of the Green"),
        ("STOKE-ON-TRENT", "Stoke-on-Trent"),
        ("ST.MARY'S NHS CENTRE", "St.Mary's NHS Centre"),
        ("DR O'BRIEN (THE ELMS)", "Dr O'Brien (the Elms)"),
        ("1ST FLOOR, 58B HIGH STREET", "1st Floor, 58B High Street"),
        ("The GP Surgery at Bude", "The GP Surgery at Bude"),
        ("", ""),
    ],
)
def test_a_register_in_capitals_is_written_as_people_do(text, shown):
    assert formats.place_name(text) == shown


def test_banner_date_has_a_long_form_for_screen_readers():
    shown = formats.banner_date(datetime.date(1945, 5, 2))
    assert ">02-May-1945<" in shown
    assert ">2 May 1945<" in shown


@pytest.mark.parametrize(
    ("day", "shown"),
    [
        (datetime.date(2018, 8, 6), "6 August 2018"),
        # Just before midnight in UTC is the next day on British Summer Time.
        (datetime.datetime(2018, 8, 5, 23, 30, tzinfo=UTC), "6 August 2018"),
        (None, ""),
    ],
)
def test_nhs_date(day, shown):
    assert formats.nhs_date(day) == shown


@pytest.mark.parametrize(
    ("hour", "minute", "shown"),
    [
        (17, 0, "5pm"),
        (17, 30, "5:30pm"),
        (0, 0, "midnight"),
        (0, 5, "12:05am"),
        (12, 0, "midday"),
        (12, 5, "12:05pm"),
        (9, 20, "9:20am"),
        (15, 45, "3:45pm"),
    ],
)
def test_nhs_time(hour, minute, shown):
    assert formats.nhs_time(datetime.time(hour, minute)) == shown


def test_nhs_time_is_the_time_in_england():
    assert formats.nhs_time(datetime.datetime(2007, 6, 29, 8, 12, tzinfo=UTC)) == "9:12am"


@pytest.mark.parametrize(
    ("at", "shown"),
    [
        (datetime.datetime(2018, 8, 6, 20, tzinfo=UTC), "3am"),
        (datetime.datetime(2018, 8, 5, 22, 30, tzinfo=UTC), "3am on 6 August 2018"),
        # The day before in UTC, and already today on British Summer Time.
        (datetime.datetime(2018, 8, 5, 23, 30, tzinfo=UTC), "3am"),
        (datetime.datetime(2018, 8, 7, 2, tzinfo=UTC), "3am on 6 August 2018"),
    ],
)
def test_a_time_names_its_day_unless_that_is_today(at, shown):
    assert formats.nhs_time_seen_from(datetime.datetime(2018, 8, 6, 2, tzinfo=UTC), at) == shown
    assert formats.nhs_time_seen_from(None, at) == ""


def test_nhs_datetime():
    assert (
        formats.nhs_datetime(datetime.datetime(2023, 1, 5, 15, 45, tzinfo=UTC)) == "5 January 2023 at 3:45pm"
    )
    assert formats.nhs_datetime(None) == ""


def test_audit_time_has_24_hours_and_seconds():
    assert "03-Mar-2008 14:32:07" in formats.audit_time(datetime.datetime(2008, 3, 3, 14, 32, 7, tzinfo=UTC))


@pytest.mark.parametrize(("number", "shown"), [(0, "0"), (999, "999"), (11_982, "11,982"), (None, "")])
def test_count(number, shown):
    assert formats.count(number) == shown


@pytest.mark.parametrize(
    ("part", "whole", "shown"),
    [
        (0, 10, "0%"),
        (10, 10, "100%"),
        (9_997, 10_000, "over 99%"),
        (3, 10_000, "under 1%"),
        (99, 100, "99%"),
        (1, 100, "1%"),
        (1, 3, "33%"),
        (1, 2, "50%"),
        (5, 8, "63%"),
        (0, 0, "no data"),
    ],
)
def test_share_never_rounds_up_to_all_or_down_to_none(part, whole, shown):
    assert formats.share(part, whole) == shown


@pytest.mark.parametrize(
    ("number", "shown"), [(0, "0 patients"), (1, "1 patient"), (1_234, "1,234 patients")]
)
def test_plural(number, shown):
    assert formats.plural(number, "patient") == shown


def test_plural_that_is_irregular():
    assert formats.plural(2, "practice in force", "practices in force") == "2 practices in force"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, formats.NOT_KNOWN),
        ("", formats.NOT_KNOWN),
        (0, "0"),
        ("<b>", "&lt;b&gt;"),
        (Markup("<b>"), "<b>"),
    ],
)
def test_missing_values_say_so_and_texts_are_escaped(value, shown):
    assert formats.text_or_not_known(value) == shown
