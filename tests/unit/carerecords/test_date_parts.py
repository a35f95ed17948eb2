"""Error texts of the date input, word for word, and which box gets the focus."""

import datetime

import pytest
from django import forms

from carerecords.bound_fields import error_list, field_data
from carerecords.date_parts import DatePartsField

TODAY = datetime.date(2008, 3, 3)


class DecisionForm(forms.Form):
    decided_on = DatePartsField(label="Date of decision", earliest=datetime.date(2007, 4, 1), latest=TODAY)


def typed(day, month, year):
    return DecisionForm({"decided_on_day": day, "decided_on_month": month, "decided_on_year": year})


@pytest.mark.parametrize("texts", [("3", "3", "2008"), ("03", "03", "2008"), (" 3 ", "3", "2008")])
def test_a_real_date(texts):
    form = typed(*texts)
    assert form.is_valid()
    assert form.cleaned_data["decided_on"] == TODAY


@pytest.mark.parametrize(
    ("texts", "error", "focus"),
    [
        (("", "", ""), "Enter the date of decision", "day"),
        (("3", "", "2008"), "Date of decision must include a month", "month"),
        (("", "", "2008"), "Date of decision must include a day and month", "day"),
        (("31", "2", "2008"), "Date of decision must be a real date", "day"),
        (("3", "March", "2008"), "Date of decision must be a real date", "day"),
        (("²", "3", "2008"), "Date of decision must be a real date", "day"),
        (("3", "3", "08"), "Year must include 4 numbers", "year"),
        (("4", "3", "2008"), "Date of decision must be today or in the past", "day"),
        (("31", "3", "2007"), "Date of decision must be the same as or after 1 April 2007", "day"),
    ],
)
def test_errors(texts, error, focus):
    form = typed(*texts)
    assert error_list(form) == [{"text": error, "href": f"#id_decided_on-{focus}"}]


def test_what_was_typed_is_kept():
    data = field_data(typed("31", "February", "2008")["decided_on"])
    assert data.parts == {"day": "31", "month": "February", "year": "2008"}


def test_an_initial_date_is_shown_in_its_parts():
    data = field_data(DecisionForm(initial={"decided_on": TODAY})["decided_on"])
    assert data.parts == {"day": "3", "month": "3", "year": "2008"}


def test_it_may_be_left_empty_if_not_required():
    field = DatePartsField(label="Sent on", required=False)
    assert field.clean(["", "", ""]) is None


def test_only_the_boxes_at_fault_are_marked():
    data = field_data(typed("3", "", "2008")["decided_on"])
    assert [box["error"] for box in data.boxes()] == [False, True, False]
