"""The checks on POST /AuditEvent, a privacy alert.

Sources: Java `controllers/validation/alert/AlertRequestValidator`; the table of permitted type and reason
in the definition of POST /AuditEvent.
"""

from __future__ import annotations

from spine.localstore import vocabulary as v
from spine.localstore.fhir_json import Resource, child, first, objects, text
from spine.localstore.outcomes import bad_value

_TYPES = ("1", "2")
_REASONS = ("1", "2", "3", "4", "5", "6")
_NOT_PERMITTED = frozenset({("1", "5"), ("2", "4"), ("2", "6")})


def read_alert(event: Resource) -> str:
    """Return the NHS number the alert is about; raise the 400 when the alert is not as it must be."""
    if not text(event, "id"):
        raise bad_value("'id' element is missing'")
    _check_message(event)
    _check_codes(event)
    if not text(event, "recorded"):
        raise bad_value("'recorded' element missing")
    _check_entity(event)
    number = _agent(event, v.NHS_NUMBER)
    _agent(event, v.ODS_CODE)
    _agent(event, v.SDS_USER)
    _check_role(event)
    return number


def unknown_number(nhs_number: str) -> Exception:
    """Return the 400 that Spine gives for a number it does not know."""
    return bad_value(f"Invalid value - {nhs_number} in field 'NHS_NUMBER'")


def _check_message(event: Resource) -> None:
    found = [e for e in objects(event.get("extension")) if e.get("url") == v.ALERT_MESSAGE]
    if len(found) != 1:
        raise bad_value(f"Expecting exactly one 'extension' element with URL: '{v.ALERT_MESSAGE}'")
    if not text(found[0], "valueString"):
        raise bad_value(f"'valueString' for 'extension' '{v.ALERT_MESSAGE}' is missing")


def _check_codes(event: Resource) -> None:
    kind = child(event, "type")
    _check_coding("type", kind, v.ALERT_TYPE, _TYPES)
    reasons = objects(event.get("subtype"))
    if len(reasons) != 1:
        raise bad_value("Expecting exactly one 'subtype' element")
    _check_coding("subtype", reasons[0], v.ALERT_REASON, _REASONS)
    pair = (kind["code"], reasons[0]["code"])
    if pair in _NOT_PERMITTED:
        raise bad_value(f"Not a permitted combination of 'type.code' {pair[0]} and 'subtype.code' {pair[1]}")


def _check_coding(element: str, coding: Resource, system: str, codes: tuple[str, ...]) -> None:
    start = "Invalid or missing value in field"
    if coding.get("system") != system:
        raise bad_value(f"{start} '{element}.system'. Supported value is: {system}")
    if coding.get("code") not in codes:
        raise bad_value(f"{start} '{element}.code'. Supported values are: {', '.join(codes)}")
    if not text(coding, "display"):
        raise bad_value(f"Missing value '{element}.display'")


def _check_entity(event: Resource) -> None:
    entities = objects(event.get("entity"))
    if len(entities) != 1:
        raise bad_value("Expecting exactly one 'entity' element")
    if not text(child(child(entities[0], "what"), "identifier"), "value"):
        raise bad_value("Invalid or missing value in field 'entity.what.identifier.value'")


def _agent(event: Resource, system: str) -> str:
    found = [agent for agent in objects(event.get("agent")) if _value(agent, system)]
    where = f"'who.identifier.system' '{system}'"
    if any(agent.get("requestor") is not False for agent in found):
        raise bad_value(f"Missing or unsupported 'requestor' value for 'agent' with {where}")
    if len(found) > 1:
        raise bad_value(f"Expecting exactly one 'agent' entry with {where} and non-empty 'value'")
    if not found:
        raise bad_value(f"Missing 'agent' entry with {where} and non-empty 'value'")
    return _value(found[0], system)


def _value(agent: Resource, system: str) -> str:
    identifier = child(child(agent, "who"), "identifier")
    return text(identifier, "value") if identifier.get("system") == system else ""


def _check_role(event: Resource) -> None:
    person = next(agent for agent in objects(event.get("agent")) if _value(agent, v.SDS_USER))
    roles = objects(person.get("role"))
    if not roles:
        raise bad_value(f"Expecting at least one 'role' for 'agent' entry with system {v.SDS_USER}")
    if not all(text(role, "text") or first(role, "coding") for role in roles):
        raise bad_value(f"Expecting at least one non empty 'role' for 'agent' entry with system {v.SDS_USER}")
