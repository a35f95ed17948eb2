"""The checks on POST /$setPermission. Source: Java `controllers/validation/acs/AcsRequestValidator`."""

from __future__ import annotations

from spine.localstore import vocabulary as v
from spine.localstore.fhir_json import Resource, child, objects, text
from spine.localstore.outcomes import bad_value, number_missing_or_incorrect


def read_permission(parameters: Resource) -> tuple[str, str]:
    """Return (NHS number, permission code) of the one setPermissions parameter; raise the 400 otherwise."""
    parts = objects(_the_set(parameters).get("part"))
    return _number(parts), _code(parts)


def check_known(nhs_number: str, untraced: frozenset[str]) -> None:
    """Raise the 400 for a number that Spine would not know.

    Ours: every number with a right check digit is known, save those the store was started with as
    untraced. A dissent may be set for a patient of whom nothing was ever uploaded.
    """
    if nhs_number in untraced or not _is_valid(nhs_number):
        raise number_missing_or_incorrect()


def _the_set(parameters: Resource) -> Resource:
    found = [p for p in objects(parameters.get("parameter")) if p.get("name") == "setPermissions"]
    if len(found) > 1:
        raise bad_value("Exactly 1 parameter named 'setPermissions' expected")
    if not found:
        raise bad_value("Parameter named 'setPermissions' name not found")
    return found[0]


def _number(parts: list[Resource]) -> str:
    values = [text(p, "valueString") for p in parts if p.get("name") == "nhsNumber"]
    values = [value for value in values if value]
    if len(values) > 1:
        raise bad_value("Exactly 1 Parameter.Part named 'nhsNumber' with not empty value expected")
    if not values:
        raise bad_value("Missing value for Parameter.Part 'nhsNumber'")
    return values[0]


def _code(parts: list[Resource]) -> str:
    codings = [child(p, "valueCoding") for p in parts if p.get("name") == "permissionCode"]
    codings = [coding for coding in codings if coding.get("system") == v.PERMISSION]
    where = f"Parameter.Part named 'permissionCode' with valueCoding.system {v.PERMISSION}"
    if len(codings) > 1:
        raise bad_value(f"Exactly 1 {where} expected")
    if not codings:
        raise bad_value(f"{where} not found")
    code = codings[0].get("code")
    if not isinstance(code, str) or code not in v.PERMISSION_CODES:
        shown = code if isinstance(code, str) else "null"
        raise bad_value(f"Invalid value - {shown} in field 'valueCoding.code'")
    return code


def _is_valid(number: str) -> bool:
    """Say whether the tenth digit is right: weights 10 to 2, modulo 11."""
    if not (len(number) == 10 and number.isascii() and number.isdigit()):
        return False
    remainder = sum(int(digit) * weight for digit, weight in zip(number, range(10, 1, -1), strict=False)) % 11
    return (11 - remainder) % 11 == int(number[9])
