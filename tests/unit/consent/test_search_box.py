"""What people type into the one box above the list, and the sentence for each thing that is wrong."""

import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carerecords.identifiers import BadNhsNumber, check_digit, format_nhs_number
from carerecords.search import BadSearch, Wanted, parse
from consent.forms import SearchForm

TODAY = datetime.date(2008, 3, 3)
BORN = datetime.date(1945, 5, 12)
NOTHING = "Enter a name, NHS number, postcode or date of birth"


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("Adeyemi", Wanted(name="Adeyemi")),
        ("  Adeyemi ,  Grace ", Wanted(name="Adeyemi , Grace")),
        ("Ms Grace Adeyemi", Wanted(name="Grace Adeyemi")),
        ("Dr. Adeyemi", Wanted(name="Adeyemi")),
        ("ADEYEMI, Grace (Ms)", Wanted(name="ADEYEMI, Grace")),
        ("O'Neill-Søren", Wanted(name="O'Neill-Søren")),
        ("Miss", Wanted(name="Miss")),
        ("999 123 4551", Wanted(nhs_number="9991234551")),
        ("999-123-4551", Wanted(nhs_number="9991234551")),
        ("9991234551", Wanted(nhs_number="9991234551")),
        ("dt1 2bb", Wanted(postcode="DT1 2BB")),
        ("DT12BB", Wanted(postcode="DT1 2BB")),
        ("12/05/1945", Wanted(born_on=BORN)),
        ("12.5.1945", Wanted(born_on=BORN)),
        ("12 May 1945", Wanted(born_on=BORN)),
        ("12-May-1945", Wanted(born_on=BORN)),
        ("1945-05-12", Wanted(born_on=BORN)),
        ("Adeyemi 12/05/1945", Wanted(name="Adeyemi", born_on=BORN)),
        ("Adeyemi, DT1 2BB", Wanted(name="Adeyemi", postcode="DT1 2BB")),
        ("9991234551 12/05/1945", Wanted(nhs_number="9991234551", born_on=BORN)),
    ],
)
def test_each_kind_of_fact_is_recognised(text, wanted):
    assert parse(text, TODAY) == wanted


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", NOTHING),
        ("   ", NOTHING),
        ("-,.", NOTHING),
        ("AB123456C", "Enter an NHS number, not a National Insurance number"),
        ("AB 12 34 56 C", "Enter an NHS number, not a National Insurance number"),
        ("999 123 456x", "NHS number must only include numbers"),
        ("Adeyemi 999", "NHS number must only include numbers"),
        ("٩٩٩١٢٣٤٥٦٨", "NHS number must only include numbers"),
        ("999 123 456", "NHS number must be 10 numbers. This one is too short"),
        ("999 123 45519", "NHS number must be 10 numbers. This one is too long"),
        ("999 123 4560", "Check the NHS number – it is not one that can exist"),
        ("010 101 0109", "Enter an NHS number, not a CHI number from Scotland"),
        ("320 000 0007", "Enter an NHS number, not a health and care number from Northern Ireland"),
        ("500 000 0005", "Check the NHS number – numbers that start like this are not issued in England"),
        ("DT1", "Enter a full postcode, for example DT1 2BB"),
        ("12/05/45", "Year of birth must include 4 numbers"),
        ("31/02/1945", "Date of birth must be a real date"),
        ("12 Mai 1945", "Date of birth must be a real date"),
        ("04/03/2008", "Date of birth must be today or in the past"),
    ],
)
def test_each_wrong_text_gets_its_sentence(text, sentence):
    with pytest.raises((BadSearch, BadNhsNumber)) as fault:
        parse(text, TODAY)
    assert str(fault.value) == sentence


@given(st.integers(400_000_000, 499_999_999) | st.integers(900_000_000, 999_999_999), st.sampled_from(" -"))
def test_every_number_that_can_exist_is_found_however_it_is_spaced(nine, gap):
    digit = check_digit(str(nine))
    if digit is None:
        return
    number = f"{nine}{digit}"
    assert parse(format_nhs_number(number).replace(" ", gap), TODAY) == Wanted(nhs_number=number)


@given(st.text(max_size=100))
def test_any_text_is_a_search_or_has_a_sentence(text):
    try:
        wanted = parse(text, TODAY)
    except (BadSearch, BadNhsNumber) as fault:
        assert str(fault)
    else:
        assert wanted.by


@given(st.text(max_size=100))
def test_the_access_log_is_told_kinds_of_fact_and_no_fact(text):
    try:
        by = parse(text, TODAY).by
    except (BadSearch, BadNhsNumber):
        return
    assert set(by.split(" and ")) <= {"name", "NHS number", "postcode", "date of birth"}


def test_a_search_has_100_characters_at_most():
    form = SearchForm({"text": "x" * 101})
    assert form.errors == {"text": ["Search must be 100 characters or less"]}
    assert SearchForm({"text": "x" * 100}).is_valid()
