"""Reading the access log of one patient."""

from carerecords.models import AccessEvent, Patient

SHOWN = 10
# A page of all of them must still be a page; the audit pages search the rest.
MOST = 500


def who_has_looked(patient: Patient, *, everything: bool = False) -> list[AccessEvent]:
    """The newest first: ten, or all up to 500. One query along an index."""
    events = AccessEvent.objects.filter(patient=patient).select_related("user").order_by("-at", "-pk")
    return list(events[: MOST if everything else SHOWN])
