"""POST /AuditEvent: a privacy alert."""

import copy
import json

import pytest

from tests.contracts.calls import data

GOOD = json.loads(data("uat-pairs/send_alert/success/1-basic.request.json"))
NOT_PERMITTED = {("1", "5"), ("2", "4"), ("2", "6")}
PERSON = "https://fhir.nhs.uk/Id/sds-user-id"
MESSAGE = "https://fhir.nhs.uk/StructureDefinition/Extension-SCR-NotificationMessage"


@pytest.mark.parametrize("kind", "12")
@pytest.mark.parametrize("reason", "123456")
def test_kinds_and_reasons(store, kind, reason):
    made = copy.deepcopy(GOOD)
    made["type"]["code"], made["subtype"][0]["code"] = kind, reason
    answer = store.alert(made)
    assert answer.status == (400 if (kind, reason) in NOT_PERMITTED else 201)


def agents(change):
    def changed(made):
        for agent in made["agent"]:
            change(agent)

    return changed


CASES = {
    "no id": (lambda made: made.pop("id"), "'id' element is missing'"),
    "no message": (
        lambda made: made.pop("extension"),
        f"Expecting exactly one 'extension' element with URL: '{MESSAGE}'",
    ),
    "empty message": (
        lambda made: made["extension"][0].update(valueString=""),
        f"'valueString' for 'extension' '{MESSAGE}' is missing",
    ),
    "other kind": (
        lambda made: made["type"].update(code="3"),
        "Invalid or missing value in field 'type.code'. Supported values are: 1, 2",
    ),
    "number for a code": (
        lambda made: made["type"].update(code=1),
        "Invalid or missing value in field 'type.code'. Supported values are: 1, 2",
    ),
    "no reason": (lambda made: made.pop("subtype"), "Expecting exactly one 'subtype' element"),
    "reason without words": (
        lambda made: made["subtype"][0].pop("display"),
        "Missing value 'subtype.display'",
    ),
    "no time": (lambda made: made.pop("recorded"), "'recorded' element missing"),
    "no entity": (lambda made: made.pop("entity"), "Expecting exactly one 'entity' element"),
    "somebody asked": (
        agents(lambda agent: agent.update(requestor=True)),
        (
            "Missing or unsupported 'requestor' value for 'agent' with"
            " 'who.identifier.system' 'https://fhir.nhs.uk/Id/nhs-number'"
        ),
    ),
    "no person": (
        lambda made: made["agent"].pop(),
        f"Missing 'agent' entry with 'who.identifier.system' '{PERSON}' and non-empty 'value'",
    ),
    "person without a role": (
        agents(lambda agent: agent.pop("role", None)),
        f"Expecting at least one 'role' for 'agent' entry with system {PERSON}",
    ),
    "two persons": (
        lambda made: made["agent"].append(made["agent"][-1]),
        f"Expecting exactly one 'agent' entry with 'who.identifier.system' '{PERSON}' and non-empty 'value'",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_refused(store, case):
    change, text = CASES[case]
    made = copy.deepcopy(GOOD)
    change(made)
    answer = store.alert(made)
    assert (answer.status, answer.issue) == (400, ("value", text))
