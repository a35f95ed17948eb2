"""The decision form: each wrong input and the sentence beside it, word for word."""

import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carerecords.bound_fields import error_list, field_data
from carerecords.models import Patient
from carerecords.permissions import Permission, Role
from consent.codes import Preference, Source
from consent.forms import NEEDED, DecisionForm, SensitiveReasonForm

TODAY = datetime.date(2026, 3, 15)
ADULT = Patient(born_on=datetime.date(1970, 6, 12))
CHILD = Patient(born_on=datetime.date(2012, 5, 4))
FAIR = {
    "preference": "EXPRESS_CORE",
    "source": "IN_PERSON",
    "decided_on_day": "3",
    "decided_on_month": "3",
    "decided_on_year": "2026",
}


def sent(patient=ADULT, role=Role.GP, *, short=False, date=None, **changes):
    data = FAIR | changes
    if date is not None:
        parts = zip(("decided_on_day", "decided_on_month", "decided_on_year"), date, strict=True)
        data |= dict(parts)
    may = role.rule.permissions
    return DecisionForm(data, patient=patient, may=may, today=TODAY, short=short)


def said(form):
    return {name: list(errors) for name, errors in form.errors.items()}


def test_a_fair_form_has_no_errors():
    assert said(sent()) == {}


REPRESENTED = {"representative_name": "Ann Son", "representative_authority": "Power of attorney"}
DAY = "decided_on"
WRONG = [
    # Which decision, and how it came.
    ("no decision chosen", {"preference": ""}, {"preference": ["Select what the patient decided"]}),
    ("a decision of no list", {"preference": "YES"}, {"preference": ["Select what the patient decided"]}),
    ("implied, by hand", {"preference": "IMPLIED_CORE"}, {"preference": ["Select what the patient decided"]}),
    ("no source chosen", {"source": ""}, {"source": ["Select how the patient told you"]}),
    ("a source of no list", {"source": "FAX"}, {"source": ["Select how the patient told you"]}),
    ("a letter without reference", {"source": "LETTER"}, {"reference": ["Enter a letter or form reference"]}),
    ("a form without reference", {"source": "FORM"}, {"reference": ["Enter a letter or form reference"]}),
    (
        "a letter with a blank reference",
        {"source": "LETTER", "reference": "   "},
        {"reference": ["Enter a letter or form reference"]},
    ),
    (
        "a reference too long",
        {"source": "LETTER", "reference": "x" * 51},
        {"reference": ["Letter or form reference must be 50 characters or less"]},
    ),
    ("a note too long", {"note": "x" * 1001}, {"note": ["Note must be 1,000 characters or less"]}),
    # The date.
    ("no date", {"date": ("", "", "")}, {DAY: ["Enter the date of decision"]}),
    ("no day", {"date": ("", "3", "2026")}, {DAY: ["Date of decision must include a day"]}),
    ("no month", {"date": ("3", "", "2026")}, {DAY: ["Date of decision must include a month"]}),
    ("no month or year", {"date": ("3", "", "")}, {DAY: ["Date of decision must include a month and year"]}),
    ("30 February", {"date": ("30", "2", "2026")}, {DAY: ["Date of decision must be a real date"]}),
    ("29 February in no leap year", {"date": ("29", "2", "2025")}, {DAY: ["Date of decision must be a real date"]}),
    ("month 13", {"date": ("3", "13", "2025")}, {DAY: ["Date of decision must be a real date"]}),
    ("day 0", {"date": ("0", "3", "2025")}, {DAY: ["Date of decision must be a real date"]}),
    ("year 0", {"date": ("3", "3", "0000")}, {DAY: ["Date of decision must be a real date"]}),
    ("words", {"date": ("today", "or", "then")}, {DAY: ["Date of decision must be a real date"]}),
    ("a month in words", {"date": ("3", "March", "2026")}, {DAY: ["Date of decision must be a real date"]}),
    ("a negative day", {"date": ("-3", "3", "2026")}, {DAY: ["Date of decision must be a real date"]}),
    ("a fraction", {"date": ("3.5", "3", "2026")}, {DAY: ["Date of decision must be a real date"]}),
    ("a year of two digits", {"date": ("3", "3", "26")}, {DAY: ["Year must include 4 numbers"]}),
    ("tomorrow", {"date": ("16", "3", "2026")}, {DAY: ["Date of decision must be today or in the past"]}),
    ("next century", {"date": ("3", "3", "2126")}, {DAY: ["Date of decision must be today or in the past"]}),
    (
        "before the programme",
        {"date": ("31", "3", "2007")},
        {DAY: ["Date of decision must be the same as or after 1 April 2007"]},
    ),
    (
        "before birth",
        {"patient": CHILD, "who_decided": "PATIENT", "date": ("3", "5", "2012")},
        {DAY: ["Date of decision must be the same as or after 4 May 2012"]},
    ),
    # Somebody else decided.
    (
        "a representative without a name or authority",
        {"source": "REPRESENTATIVE"},
        {
            "representative_name": ["Enter who decided for the patient"],
            "representative_authority": ["Enter their authority to decide"],
        },
    ),
    (
        "a representative without authority",
        {"source": "REPRESENTATIVE", "representative_name": "Ann Son"},
        {"representative_authority": ["Enter their authority to decide"]},
    ),
    (
        "a representative without a name",
        {"source": "REPRESENTATIVE", "representative_authority": "Power of attorney"},
        {"representative_name": ["Enter who decided for the patient"]},
    ),
    (
        "a name without authority, whatever the source",
        {"representative_name": "Ann Son"},
        {"representative_authority": ["Enter their authority to decide"]},
    ),
    (
        "an authority without a name, whatever the source",
        {"representative_authority": "Power of attorney"},
        {"representative_name": ["Enter who decided for the patient"]},
    ),
    (
        "a name too long",
        {"source": "REPRESENTATIVE", **REPRESENTED, "representative_name": "x" * 101},
        {"representative_name": ["Name must be 100 characters or less"]},
    ),
    (
        "an authority too long",
        {"source": "REPRESENTATIVE", **REPRESENTED, "representative_authority": "x" * 101},
        {"representative_authority": ["Authority must be 100 characters or less"]},
    ),
    # A child.
    ("who decided for a child", {"patient": CHILD}, {"who_decided": ["Select who decided"]}),
    (
        "a parent without a name",
        {"patient": CHILD, "who_decided": "REPRESENTATIVE"},
        {"representative_name": ["Enter who decided for the patient"]},
    ),
    (
        "the child and somebody else",
        {"patient": CHILD, "who_decided": "PATIENT", **REPRESENTED},
        {"who_decided": ["Select who decided: a name of somebody else is entered below"]},
    ),
    # By role.
    (
        "consent by staff without reference",
        {"role": Role.STAFF},
        {"reference": ["Enter a letter or form reference"]},
    ),
    (
        "consent by a manager without reference",
        {"role": Role.PRACTICE_MANAGER},
        {"reference": ["Enter a letter or form reference"]},
    ),
    (
        "additional information by staff",
        {"role": Role.STAFF, "preference": "EXPRESS_ADDITIONAL", "reference": "L 1"},
        {"preference": ["Select what the patient decided"]},
    ),
    # The short form has no room for a representative.
    (
        "a representative in the short form",
        {"short": True, "source": "REPRESENTATIVE"},
        {"source": ["Select how the patient told you"]},
    ),
    # All at once.
    (
        "nothing at all",
        {"preference": "", "source": "", "date": ("", "", "")},
        {
            "preference": ["Select what the patient decided"],
            "source": ["Select how the patient told you"],
            DAY: ["Enter the date of decision"],
        },
    ),
]  # fmt: skip


@pytest.mark.parametrize(("name", "changes", "errors"), WRONG, ids=[row[0] for row in WRONG])
def test_wrong_input(name, changes, errors):
    """These errors and no others; nothing that was typed is lost, and the first error can be reached."""
    form = sent(**changes)
    assert said(form) == errors
    for typed in ("reference", "note", "representative_name", "representative_authority"):
        assert field_data(form[typed]).value == changes.get(typed, "")
    assert all(error["href"].startswith("#id_") for error in error_list(form))


@pytest.mark.parametrize(
    "changes",
    [
        {"preference": "EXPRESS_DISSENT", "role": Role.STAFF},
        {"preference": "NONE", "role": Role.STAFF},
        {"role": Role.STAFF, "reference": "L 1"},
        {"preference": "EXPRESS_ADDITIONAL"},
        {"date": ("15", "3", "2026")},
        {"date": ("1", "4", "2007")},
        {"date": (" 03 ", "03", "2026")},
        {"patient": CHILD, "who_decided": "PATIENT", "date": ("4", "5", "2012")},
        {"note": "x" * 1000},
        {"source": "LETTER", "reference": "x" * 50},
    ],
    ids=", ".join,
)
def test_what_is_right_is_taken(changes):
    assert said(sent(**changes)) == {}


@pytest.mark.parametrize(
    "role", [role for role in Role if Permission.RECORD_REFUSAL in role.rule.permissions]
)
def test_a_role_is_offered_what_it_may_record_and_nothing_is_chosen(role):
    form = DecisionForm(patient=ADULT, may=role.rule.permissions, today=TODAY)
    choices = field_data(form["preference"]).choices
    assert [choice.value for choice in choices] == [
        answer.value
        for answer, permission in NEEDED.items()
        if permission in role.rule.permissions and answer is not Preference.WITHDRAWN
    ], "an adult who never consented has nothing to withdraw"
    assert not any(choice.chosen for choice in choices + field_data(form["source"]).choices)


def test_implied_consent_is_offered_to_nobody():
    assert Preference.IMPLIED_CORE not in NEEDED


def test_line_breaks_count_once_as_in_the_browsers_counter():
    form = sent(note="a\r\n" * 500)
    assert said(form) == {} and len(form.cleaned_data["note"]) <= 1000


@pytest.mark.parametrize("today", [datetime.date(2028, 5, 3), datetime.date(2028, 5, 4)])
def test_from_16_on_nobody_asks_who_decided(today):
    form = DecisionForm(patient=CHILD, may=Role.GP.rule.permissions, today=today)
    assert form.is_about_a_child == (today < datetime.date(2028, 5, 4))


def test_a_parent_has_parental_responsibility_unless_something_else_is_typed():
    answers = {"who_decided": "REPRESENTATIVE", "representative_name": "Ann Parent"}
    form = sent(CHILD, **answers)
    assert said(form) == {} and form.evidence.representative_authority == "Parental responsibility"
    form = sent(CHILD, **answers, representative_authority="Court order")
    assert said(form) == {} and form.evidence.representative_authority == "Court order"


text = st.text(st.characters(codec="utf-8"), max_size=20)


@given(
    st.fixed_dictionaries(
        {
            "preference": st.sampled_from([*Preference, "x"]).map(str) | text,
            "source": st.sampled_from([*Source]).map(str) | text,
            "decided_on_day": text | st.integers(-1, 32).map(str),
            "decided_on_month": text | st.integers(-1, 13).map(str),
            "decided_on_year": text | st.integers(1900, 2100).map(str),
            "reference": text,
            "representative_name": text,
            "representative_authority": text,
            "seen": text,
            "form_key": text,
        }
    )
)
def test_whatever_is_typed_is_refused_with_words_or_can_be_recorded(data):
    form = DecisionForm(data, patient=ADULT, may=Role.GP.rule.permissions, today=TODAY)
    if form.is_valid():
        assert form.answer in NEEDED and form.evidence.source in Source
        assert ADULT.born_on <= form.cleaned_data["decided_on"] <= TODAY
    else:
        assert all(error for errors in form.errors.values() for error in errors)


def test_a_sensitive_record_asks_for_one_of_its_reasons():
    for typed in ("", "CURIOUS"):
        form = SensitiveReasonForm({"reason": typed})
        assert not form.is_valid() and set(form.errors) == {"reason"}
    assert SensitiveReasonForm({}).errors["reason"] == ["Select why you need to open this record"]
    assert SensitiveReasonForm({"reason": "DIRECT_CARE"}).is_valid()
