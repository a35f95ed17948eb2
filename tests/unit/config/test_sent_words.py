"""What a form sent, as a person would say it."""

import pytest

from config.sent_words import in_words

KEY = "c8463dbd-f75d-4717-a614-3959d9aca477"
ROW = f"row-{KEY.replace('-', '')}-{KEY.replace('-', '')}"


@pytest.mark.parametrize(
    "sent, words",
    [
        ([("preference", "EXPRESS_CORE")], [("What the patient decided", "Express consent for medication, allergies and adverse reactions only")]),
        ([("source", "IN_PERSON")], [("How they told you", "In person")]),
        ([("stance", "DO_NOT_FOLLOW")], [("Stance", "Do not follow: uploads continue for patients with consent")]),
        ([("stance", "USE_PRACTICE")], [("Stance", "Use the practice's answer")]),
        ([("decided_on_day", "3"), ("decided_on_month", "4"), ("decided_on_year", "2026")], [("Date of decision", "3 4 2026")]),
        ([("decided_on_day", ""), ("decided_on_month", "4"), ("decided_on_year", "2026")], [("Date of decision", "4 2026")]),
        ([("note", "Asked\ntwice")], [("Note", "Asked\ntwice")]),
        ([("rows", "Adeyemi"), ("rows", "Brown")], [("Rows", "Adeyemi, Brown")]),
        ([("password_reset-email", "grace@test.example")], [("Email", "grace@test.example")]),
        # Nobody filled these in: the form's own key, the event that was shown, an empty box.
        ([("form_key", KEY), ("seen", KEY), ("reference", " ")], []),
        ([(ROW, "CONSENTS"), (ROW, "REFUSES")], [("Answers for single patients", "2")]),
        # A word of the form that is not known is shown as it was sent.
        ([("preference", "MAYBE")], [("What the patient decided", "MAYBE")]),
    ],
)  # fmt: skip
def test_a_form_is_told_in_words(sent, words):
    assert list(in_words(sent)) == words
