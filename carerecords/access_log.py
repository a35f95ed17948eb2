"""Reading the access log of one patient."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Q

from carerecords.models import AccessEvent, Patient

SHOWN = 10
PAGE = 50
# To be printed in one go for the patient; the audit pages search the rest.
MOST = 2000


@dataclass(frozen=True)
class LooksPage:
    """Lines of the log, newest first; `next_before` begins the next older page."""

    events: Sequence[AccessEvent]
    total: int
    next_before: int | None


def who_has_looked(patient: Patient) -> list[AccessEvent]:
    """The newest ten. One query along an index."""
    events = AccessEvent.objects.filter(patient=patient).select_related("user", "practice")
    return list(events.order_by("-at", "-pk")[:SHOWN])


def looks_page(patient: Patient, *, before: int | None = None, everything: bool = False) -> LooksPage:
    """Fifty lines by keyset, or all up to 2,000. Three queries at most."""
    events = AccessEvent.objects.filter(patient=patient)
    total = events.count()
    size = MOST if everything else PAGE
    if before is not None and (row := events.filter(pk=before).first()):
        events = events.filter(Q(at__lt=row.at) | Q(at=row.at, pk__lt=row.pk))
    found = list(events.select_related("user", "practice").order_by("-at", "-pk")[: size + 1])
    return LooksPage(found[:size], total, found[size - 1].pk if len(found) > size else None)
