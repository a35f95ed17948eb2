"""People who record decisions in a browser, over HTTP, and whose answers are held against what is stored."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from bench import serving
from bench.ticks import tick

SAVED, NOT_SAVED, UNSURE = "saved", "not saved", "saved or not"
CHANGED, SILENCE = "changed by somebody else", "no answer"
# What the pages say, and what that comes to.
_WORDS = {
    b"recorded for": SAVED,
    b"Nothing you sent was saved": NOT_SAVED,
    b"may or may not have been saved": UNSURE,
    b"This record changed while you were working": CHANGED,
}


class Page(NamedTuple):
    """What a form of a patient's row names: the patient, and the decision that it showed."""

    patient: int
    public_id: str
    seen: str


@dataclass
class Form:
    """One decision as a browser sends it, and the last answer to it."""

    patient: int
    request: bytes
    answer: str = SILENCE


class Clerk:
    """A member of staff at a browser."""

    def __init__(self, port: int, user: Any) -> None:
        self.user, self._web, self._cookies = user, serving.Web(port), serving.session_of(user)
        self.forms: list[Form] = []

    def record(self, page: Page, **other: str) -> Form:
        """Sends a decision of today. `other`: fields with other values than `bench.ticks.tick` gives them."""
        fields = {"seen": page.seen, "confirmed": "yes"} | other
        form = Form(page.patient, tick(page.public_id, self._cookies, **fields))
        self.forms.append(form)
        self.send(form)
        return form

    def send(self, form: Form) -> None:
        """Sends a form, for the first time or once more. Raises where an answer says nothing to go by."""
        try:
            browser = self._web.connect()
            with browser.line:
                status, body = browser.ask(form.request)
        except OSError:
            form.answer = SILENCE
            return
        found = [answer for words, answer in _WORDS.items() if words in body]
        if len(found) != 1:
            raise AssertionError(f"An answer says {found or 'nothing'}: {status} {body[:500]!r}")
        form.answer = found[0]


def pages(patients: Sequence[int]) -> list[Page]:
    """The forms of these patients as they would be drawn now."""
    from carerecords.models import Patient
    from consent.models import ConsentEvent

    rows = list(
        Patient.objects.filter(pk__in=patients)
        .values_list("pk", "public_id", "consent_event_id")
        .order_by("pk")
    )
    shown = [event for *_, event in rows if event is not None]
    events = dict(ConsentEvent.objects.filter(pk__in=shown).values_list("pk", "public_id"))
    return [Page(pk, str(public_id), str(events.get(event or 0, ""))) for pk, public_id, event in rows]


def untrue(forms: Sequence[Form]) -> Iterator[str]:
    """Answers that are not so, of patients for whom nothing else was ever recorded; and decisions in part.

    Whole is a decision with its line in the access log; its upload and the patient's state the check looks at.
    """
    from carerecords.models import AccessEvent
    from consent.models import ConsentEvent

    patients = [form.patient for form in forms]
    decided = _counted(ConsentEvent.objects.filter(patient__in=patients))
    logged = _counted(AccessEvent.objects.filter(patient__in=patients, kind=AccessEvent.Kind.DECISION))
    for form in forms:
        times = decided.get(form.patient, 0)
        if times > 1 or (form.answer == SAVED and not times) or (form.answer == NOT_SAVED and times):
            yield f"record {form.patient}: people were told {form.answer!r}, and it is there {times} times"
        if times != logged.get(form.patient, 0):
            yield f"record {form.patient}: {times} decisions, {logged.get(form.patient, 0)} in the access log"


def _counted(rows: Any) -> dict[int, int]:
    from django.db.models import Count

    return dict(rows.order_by().values_list("patient").annotate(Count("pk")))
