"""Reading notice letters: which were sent to a patient, what came of each, and until when one may object."""

import datetime
import uuid
from dataclasses import dataclass

from carerecords.formats import nhs_date
from carerecords.models import Patient
from consent.codes import ConsentModel, LetterEvent
from consent.models import ConsentModelRevision, NoticeLetter

# As long as nobody has said otherwise.
LETTER_WEEKS = 12
SHOWN = 10


@dataclass(frozen=True)
class SentLetter:
    """One letter; `answer` is what came of it, `counts` whether the time to object runs from it."""

    letter: NoticeLetter
    answer: str
    counts: bool


def letters_of(patient: Patient) -> list[SentLetter]:
    """The last ten letters, newest first, with what came of each. One query."""
    sent = NoticeLetter.objects.filter(patient=patient, kind=LetterEvent.SENT)
    rows = sent.select_related("recorded_by", "answered_by").order_by("-sent_on", "-pk")[:SHOWN]
    return [_sent(letter) for letter in rows]


def letter_of(patient: Patient, public_id: uuid.UUID) -> NoticeLetter | None:
    """One letter that was sent to the patient."""
    return NoticeLetter.objects.filter(patient=patient, kind=LetterEvent.SENT, public_id=public_id).first()


def time_to_object(patient: Patient, today: datetime.date) -> str:
    """Until when the patient may object, in the words of the consent model in force. One query."""
    in_force = ConsentModelRevision.objects.filter(effective_from__lte=today)
    model = in_force.order_by("-effective_from", "-pk").first()
    if model is None or model.model == ConsentModel.EXPLICIT:
        return "Express consent is asked for, so silence after a letter is never taken for consent."
    weeks = model.letter_weeks or LETTER_WEEKS
    if patient.letter_sent_on is None:
        return f"No letter counts, so silence is not taken for consent. After one there are {weeks} weeks."
    ends = patient.letter_sent_on + datetime.timedelta(weeks=weeks)
    when = "ends" if ends > today else "ended"
    return f"The time to object {when} on {nhs_date(ends)}, {weeks} weeks after the letter."


def _sent(letter: NoticeLetter) -> SentLetter:
    answered = getattr(letter, "answered_by", None)
    answer = LetterEvent(answered.kind).label if answered else ""
    return SentLetter(letter, answer, answered is None)
