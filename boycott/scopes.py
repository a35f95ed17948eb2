"""Whether the places that a position names exist."""

from collections.abc import Iterable

from boycott.actions import ChangeRefused
from boycott.content import Content
from carerecords.models import Practice


def check_scope(content: Content) -> None:
    """Raises `ChangeRefused` naming the first field with a code that no practice has."""
    for field, column, codes in (
        ("region_codes", "region_code", content.region_codes),
        ("icb_codes", "icb_code", content.icb_codes),
        ("ods_codes", "ods_code", content.ods_codes),
        ("exempt_ods_codes", "ods_code", content.exempt_ods_codes),
    ):
        if unknown := sorted(set(codes) - _known(column, codes)):
            raise ChangeRefused(field, f"There is no {_WHAT[column]} {', '.join(unknown)}")


_WHAT = {"region_code": "region", "icb_code": "integrated care board", "ods_code": "practice"}


def _known(column: str, codes: Iterable[str]) -> set[str]:
    rows = Practice.objects.filter(**{f"{column}__in": list(codes)})
    return set(rows.values_list(column, flat=True).distinct())


def regions() -> list[tuple[str, str]]:
    """The regions of England that have practices: (code, name), by name."""
    rows = Practice.objects.order_by("region_name").values_list("region_code", "region_name")
    return list(rows.distinct())
