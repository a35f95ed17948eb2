"""The vocabulary of consent: what a patient can have decided, and how the practice learnt it.

Authority: Read v2 codes and terms of the Summary Care Record consent preferences, as the GP
system Vision documents them (spine-interface notes 2.1, read 2026-11). The SNOMED CT ids of
these four are not known to us; inventing one would be a clinical safety fault, so there are none
here.
"""

from enum import StrEnum

from carerecords.vocabulary import Term


class Preference(Term):
    """What a decision says. Wording: the four preferences as GP systems show them."""

    EXPRESS_CORE = (
        "EXPRESS_CORE",
        "Express consent for medication, allergies and adverse reactions only",
    )
    EXPRESS_ADDITIONAL = (
        "EXPRESS_ADDITIONAL",
        "Express consent for medication, allergies, adverse reactions and additional information",
    )
    EXPRESS_DISSENT = "EXPRESS_DISSENT", "Express dissent (opt out)"
    IMPLIED_CORE = "IMPLIED_CORE", "Implied consent"
    NONE = "NONE", "No preference expressed"
    # Ends a consent given before without refusing: nothing goes, and silence is never consent again.
    WITHDRAWN = "WITHDRAWN", "Consent withdrawn"

    @property
    def read_code(self) -> str | None:
        """The Read v2 code, or None where nothing is coded."""
        return _READ_CODES.get(self)


_READ_CODES = {
    Preference.IMPLIED_CORE: "9Ndl",
    Preference.EXPRESS_CORE: "9Ndm",
    Preference.EXPRESS_ADDITIONAL: "9Ndn",
    Preference.EXPRESS_DISSENT: "9Ndo",
}

# A person chooses among these; implied consent is written only by the system.
CHOSEN_BY_HAND = [
    Preference.EXPRESS_CORE,
    Preference.EXPRESS_ADDITIONAL,
    Preference.EXPRESS_DISSENT,
    Preference.NONE,
    Preference.WITHDRAWN,
]
PERMITTING = frozenset({Preference.EXPRESS_CORE, Preference.EXPRESS_ADDITIONAL})


class ConsentState(Term):
    """What holds for a patient now: a preference, or why none of them can be relied on."""

    NONE = "NONE", "No decision"
    IMPLIED_CORE = "IMPLIED_CORE", "Implied consent"
    EXPRESS_CORE = "EXPRESS_CORE", "Consent given"
    EXPRESS_ADDITIONAL = (
        "EXPRESS_ADDITIONAL",
        "Consent given, with additional information",
    )
    EXPRESS_DISSENT = "EXPRESS_DISSENT", "Consent refused"
    WITHDRAWN = "WITHDRAWN", "Consent withdrawn"
    CONFLICT = "CONFLICT", "Conflicting"
    LATER = "LATER", "Consent starts later"


class Source(Term):
    """How the patient told the practice."""

    IN_PERSON = "IN_PERSON", "In person"
    PHONE = "PHONE", "By phone"
    LETTER = "LETTER", "By letter"
    FORM = "FORM", "On a form"
    ONLINE = "ONLINE", "Online"
    REPRESENTATIVE = "REPRESENTATIVE", "By a representative"
    # Written only by the system, with implied consent: nobody told anybody anything.
    SILENCE = "SILENCE", "Did not answer the letter"


# How a patient can have told somebody; what forms, files and programs may say.
TOLD = [source for source in Source if source is not Source.SILENCE]

# From 16 on a patient is presumed to decide (Family Law Reform Act 1969, section 8).
ADULT = 16

# A letter or a form exists on paper, so its reference must be given.
NEEDS_REFERENCE = frozenset({Source.LETTER, Source.FORM})


class EventKind(StrEnum):
    """What an event does: states a decision, or takes an earlier event back.

    Undone is what the recorder corrected at once; invalid is what was found to be wrong later,
    with a note that says why. Both take an event back, and neither is a refusal or a withdrawal,
    which are decisions of the patient.
    """

    DECISION = "DECISION"
    REVERSAL = "REVERSAL"
    INVALID = "INVALID"


TAKES_BACK = frozenset({EventKind.REVERSAL, EventKind.INVALID})


class ConsentModel(Term):
    """The nation's dated rule for patients who said nothing."""

    EXPLICIT = "EXPLICIT", "Express consent only"
    IMPLIED_CORE = "IMPLIED_CORE", "Implied consent for core"
    IMPLIED_CORE_AND_ADDITIONAL = "IMPLIED_CORE_AND_ADDITIONAL", "Implied consent for core and additional"


class LetterEvent(Term):
    """What is known of a notice letter."""

    SENT = "SENT", "Letter sent"
    RETURNED = "RETURNED", "Letter came back undelivered"
    REVERSAL = "REVERSAL", "Letter noted by mistake"


class BulkKind(Term):
    """What a bulk run does for each of its patients."""

    REFUSAL = "REFUSAL", "Record refusal"
    CONSENT = "CONSENT", "Record consent"
    LETTER = "LETTER", "Mark letter sent"
    DEFERRAL = "DEFERRAL", "Defer"
    IMPORT = "IMPORT", "Apply import"
    # Refusals that no patient made are taken back, and the practice's own stance says the rest.
    CONVERSION = "CONVERSION", "Turn refusals into the practice's stance"
    # Silence after a letter becomes consent, where the nation's model says so.
    IMPLIED = "IMPLIED", "Record implied consent"


class RunState(Term):
    """Where a bulk run stands."""

    CHECK = "CHECK", "Not confirmed"
    QUEUED = "QUEUED", "Waiting to start"
    RUNNING = "RUNNING", "Running"
    DONE = "DONE", "Finished"
    UNDOING = "UNDOING", "Being undone"
    UNDONE = "UNDONE", "Undone"
    DROPPED = "DROPPED", "Cancelled"


class RowResult(Term):
    """What became of one row of a bulk run."""

    PENDING = "PENDING", "To do"
    CHANGED = "CHANGED", "Changed"
    ALREADY = "ALREADY", "Already so"
    SKIPPED = "SKIPPED", "Skipped"
    UNDONE = "UNDONE", "Undone"
    KEPT = "KEPT", "Kept"


class RowReason(Term):
    """Why a row of a bulk run was left as it was."""

    DECIDED = "DECIDED", "Decided meanwhile"
    GONE = "GONE", "Died or left the practice"
    MOVED = "MOVED", "Is now registered at another practice"
    TOO_EARLY = "TOO_EARLY", "The date is before the date of birth"
    UNDER_16 = "UNDER_16", "Under 16: record one by one who decided"
    LATER = "LATER", "Changed later, so it was left as it is"
    TAKEN_BACK = "TAKEN_BACK", "Was taken back already"


class ImportKind(Term):
    """What the rows of a file say."""

    DECISIONS = "DECISIONS", "Decisions"
    LETTERS = "LETTERS", "Letters"
    PATIENTS = "PATIENTS", "Patient list"


class ImportState(Term):
    """Where an import stands."""

    CHECKING = "CHECKING", "Being checked"
    STOPPED = "STOPPED", "Stopped"
    READY = "READY", "Ready to check"
    APPLYING = "APPLYING", "Being applied"
    DONE = "DONE", "Completed"
    CANCELLED = "CANCELLED", "Cancelled"


class RowVerdict(Term):
    """What a row of a file would do, found out before anybody approves it."""

    PENDING = "PENDING", "Not checked yet"
    NEW = "NEW", "New"
    CHANGED = "CHANGED", "Changed"
    # A later decision stands, or the same one of another day: kept, and changes nothing.
    HISTORY = "HISTORY", "Adds to the history"
    SAME = "SAME", "Already the same"
    REPEAT = "REPEAT", "Said again in the same file"
    BAD = "BAD", "Error"
