"""The checks on the two searches. Source: Java `controllers/fhir/GetScrController`."""

from __future__ import annotations

from collections.abc import Mapping

from spine.localstore import vocabulary as v
from spine.localstore.outcomes import bad_value

SUBJECT = "composition.subject:Patient.identifier"
COMPOSITION = "composition.identifier"

_ONLY = {"type": f"{v.SNOMED}|{v.GP_SUMMARY}", "_sort": "date", "_count": "1"}


def read_find(query: Mapping[str, str]) -> str:
    """Return the NHS number of GET /DocumentReference; raise the 400 for anything unsupported."""
    number = _number(query, "patient")
    _check_only(query)
    return number


def read_fetch(query: Mapping[str, str]) -> tuple[str, str]:
    """Return (NHS number, composition id) of GET /Bundle; raise the 400 when one is missing."""
    composition_id = _required(query, COMPOSITION)
    number = _number(query, SUBJECT)
    _check_only(query)
    return number, composition_id.upper()


def _required(query: Mapping[str, str], name: str) -> str:
    value = query.get(name, "")
    if not value:
        raise bad_value(
            f"Required request parameter '{name}' for method parameter type String is not present"
        )
    return value


def _number(query: Mapping[str, str], name: str) -> str:
    value = _required(query, name)
    system, bar, number = value.partition("|")
    if system != v.NHS_NUMBER or not bar or not (len(number) == 10 and number.isascii() and number.isdigit()):
        raise bad_value(f"Invalid value - {value} in field '{name}'")
    return number


def _check_only(query: Mapping[str, str]) -> None:
    for name, supported in _ONLY.items():
        value = query.get(name, "")
        if value and value != supported:
            raise bad_value(f"Invalid value - {value} in field '{name}'")
