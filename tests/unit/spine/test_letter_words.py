"""Letters to patients: every one that can be written reads at the age of 9 to 11, and says why."""

import dataclasses
import datetime
import itertools
import re

import pytest

from consent.codes import ConsentState, Source
from spine.gate import Scope
from spine.letters.words import FOR_PATIENTS, LetterFacts, Reader, letter_of
from spine.reasons import Reason

SILENT = LetterFacts(
    title="Ms",
    given_name="Grace",
    family_name="Adeyemi",
    address=("1 Mill Lane", "Dorchester", "DT1 2BB"),
    surgery="The Market Surgery",
    surgery_address=("1 High Street", "DT1 1AA"),
    written_on=datetime.date(2026, 11, 24),
    reader=Reader.PATIENT,
    state=ConsentState.NONE,
    decided_on=None,
    source=None,
    decided_by="",
    reasons=(Reason.CONSENT_NONE,),
    goes=False,
    scope_at_store=None,
    sent_on=None,
)
SAID_YES = dataclasses.replace(
    SILENT,
    state=ConsentState.EXPRESS_CORE,
    decided_on=datetime.date(2026, 11, 3),
    source=Source.PHONE,
    reasons=(),
    goes=True,
)


def said(facts):
    """The body of the letter as one text: headings, sentences, points."""
    parts = letter_of(facts).parts
    return " ".join(f"{p.heading}. {' '.join(p.paragraphs)} {'. '.join(p.points)}" for p in parts)


def every_letter():
    """Each state with each reader, copy at the store and reason."""
    copies = [None, Scope.CORE, Scope.CORE_ADDITIONAL, Scope.BLANK]
    for state, reader, copy, goes in itertools.product(ConsentState, Reader, copies, (True, False)):
        yield dataclasses.replace(
            SAID_YES,
            state=state,
            reader=reader,
            scope_at_store=copy,
            sent_on=datetime.date(2026, 11, 10) if copy else None,
            goes=goes,
            reasons=() if goes else tuple(Reason),
        )


def syllables(word):
    """A rough count, as readability formulas use: groups of vowels, a silent e left out."""
    word = re.sub(r"e$", "", word.lower())
    return max(1, len(re.findall(r"[aeiouy]+", word)))


def reading_grade(text):
    """Flesch-Kincaid (Kincaid and others 1975): a school year; the age is five years more."""
    sentences = [one for one in re.split(r"[.:?!]\s*", text) if one.strip()]
    words = re.findall(r"[A-Za-z’]+", text)
    return 0.39 * len(words) / len(sentences) + 11.8 * sum(map(syllables, words)) / len(words) - 15.59


def test_the_measure_tells_hard_words_from_plain_ones():
    hard = "Notification of the determination regarding dissemination of individual clinical information."
    assert reading_grade(hard) > 15 and reading_grade("You said no. We will not share this.") < 2


def test_every_letter_reads_at_the_age_of_9_to_11():
    worst = max(every_letter(), key=lambda facts: reading_grade(said(facts)))
    assert reading_grade(said(worst)) < 6, said(worst)
    for facts in every_letter():
        for sentence in re.split(r"[.:?!]\s+", said(facts)):
            assert len(sentence.split()) <= 20, sentence


@pytest.mark.parametrize("word", ["practice", "express", "dissent", "Spine", "None", "upload", "boycott"])
def test_no_letter_speaks_as_staff_do(word):
    assert not [facts for facts in every_letter() if word in said(facts)]


def test_every_reason_has_its_words_for_patients():
    assert set(FOR_PATIENTS) == set(Reason)
    for reason, words in FOR_PATIENTS.items():
        told = said(dataclasses.replace(SAID_YES, goes=False, reasons=(reason,)))
        assert ("Why nothing new is sent now" in told) is bool(words) and words in told


@pytest.mark.parametrize(
    ("changes", "must", "must_not"),
    [
        ({}, "This was on 3 November 2026, by phone.", "You have not told us"),
        ({"goes": True}, "We will send the record soon. It will have: medicines. allergies", "illnesses"),
        ({"state": ConsentState.EXPRESS_ADDITIONAL}, "such as illnesses and operations", "said no. We"),
        ({"state": ConsentState.NONE, "goes": False}, "You have not told us yet", "This was on"),
        ({"state": ConsentState.EXPRESS_DISSENT, "goes": False}, "You said no. We will not", "You said yes"),
        (
            {"state": ConsentState.EXPRESS_DISSENT, "goes": False, "scope_at_store": Scope.CORE},
            "We are taking it back.",
            "medicines",
        ),
        ({"scope_at_store": Scope.BLANK, "goes": False}, "We took your record back on 10 Nov", "It has:"),
        ({"decided_by": "Ann Carter"}, "Ann Carter chose for you.", "None"),
        ({"reader": Reader.PARENT}, "facts about Grace’s health", "your health"),
    ],
)
def test_what_a_letter_says(changes, must, must_not):
    facts = dataclasses.replace(SAID_YES, sent_on=datetime.date(2026, 11, 10), **changes)
    told = said(facts)
    assert must in told and must_not not in told


def test_to_whom_it_goes():
    letter = letter_of(SILENT)
    assert (letter.to[0], letter.greeting, letter.heading) == (
        "Ms Grace Adeyemi",
        "Dear Ms Adeyemi",
        "Your Summary Care Record",
    )
    child = letter_of(dataclasses.replace(SILENT, title="", reader=Reader.PARENT))
    assert (child.to[0], child.greeting) == (
        "To the parent or carer of Grace Adeyemi",
        "Dear parent or carer",
    )
    assert letter_of(dataclasses.replace(SILENT, title="")).greeting == "Dear Grace Adeyemi"
