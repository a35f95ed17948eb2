"""Who is asked: every GP with a GMC number who works at an active practice. One query."""

import datetime
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Q, QuerySet

from carerecords.models import Practice, RoleAssignment
from carerecords.permissions import Role


@dataclass(frozen=True)
class EligibleGp:
    """One GP, at the practice where they have been longest of those that are asked."""

    user_id: int
    gmc_number: str
    practice_id: int
    region_code: str


@dataclass(frozen=True)
class Reach:
    """How many would be asked, by region code, and how many GPs cannot be for want of a GMC number."""

    by_region: dict[str, int]
    without_number: int

    @property
    def gps(self) -> int:
        return sum(self.by_region.values())


def eligible(
    region_codes: Sequence[str], ods_codes: Sequence[str], at: datetime.datetime
) -> list[EligibleGp]:
    """Every GP once, by GMC number, whatever the number of their practices. No places: all England."""
    rows = (
        _gps(region_codes, ods_codes, at)
        .filter(user__gmc_number__isnull=False)
        .order_by("user__gmc_number", "starts_at", "pk")
        .distinct("user__gmc_number")
        .values_list("user_id", "user__gmc_number", "practice_id", "practice__region_code")
    )
    return [
        EligibleGp(user_id, gmc_number or "", practice_id, region_code)
        for user_id, gmc_number, practice_id, region_code in rows
    ]


def reach(region_codes: Sequence[str], ods_codes: Sequence[str], at: datetime.datetime) -> Reach:
    """What `eligible` would find, counted. Two queries."""
    without = _gps(region_codes, ods_codes, at).filter(user__gmc_number__isnull=True)
    found = Counter(gp.region_code for gp in eligible(region_codes, ods_codes, at))
    return Reach(dict(found), without.values("user").distinct().count())


def _gps(
    region_codes: Sequence[str], ods_codes: Sequence[str], at: datetime.datetime
) -> QuerySet[RoleAssignment]:
    rows = RoleAssignment.objects.filter(
        Q(ends_at__isnull=True) | Q(ends_at__gt=at),
        role=Role.GP,
        starts_at__lte=at,
        user__is_active=True,
        practice__status=Practice.Status.ACTIVE,
    )
    if region_codes or ods_codes:
        rows = rows.filter(Q(practice__region_code__in=region_codes) | Q(practice__ods_code__in=ods_codes))
    return rows
