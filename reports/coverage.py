"""What is observed: how many of the patients on lists here have a summary at the store."""

from dataclasses import dataclass

from django.db.models import Q
from django.utils import timezone

from carerecords.models import Patient
from spine.models import StoreCopy


@dataclass(frozen=True)
class Coverage:
    """Patients on lists here, and those of them with a summary there that is not blank."""

    uploaded: int
    patients: int


def coverage() -> Coverage:
    """Two counts over the lists; the whole country needs tallies before it is quick."""
    today = timezone.localdate()
    gone = Q(left_on__lte=today) | Q(died_on__lte=today)
    here = Patient.objects.filter(~gone)
    copies = StoreCopy.objects.filter(patient__in=here, is_blank=False, accepted_at__isnull=False)
    return Coverage(copies.count(), here.count())
