"""POST /$setPermission."""

import pytest

from tests.contracts.calls import PERMISSION, ROLE, bundle, new_id, permission
from tests.localstore_process import fresh_nhs_number

UNKNOWN = (
    "Code: 400, Display: Invalid Request;Code: 35160, Display: [PSIS-35160] - Invalid input message."
    " Mandatory field NHS Number is missing or incorrect"
)


@pytest.mark.parametrize(("code", "shown"), [("Ask", "Ask"), ("Yes", "Yes"), (None, "Ask")])
def test_the_permission_is_shown_with_the_current_summary(store, code, shown):
    number = fresh_nhs_number()
    assert store.upload(bundle(number, new_id())).status == 201
    if code:
        answer = store.set_permission(number, code)
        assert (answer.status, answer.body) == (201, b"")
    reference = store.find(number).json["entry"][0]["resource"]
    assert reference["securityLabel"] == [{"coding": [{"system": PERMISSION, "code": shown}]}]


@pytest.mark.parametrize("code", ["Ask", "Yes"])
def test_a_no_is_lifted(store, code):
    number = fresh_nhs_number()
    assert store.set_permission(number, "No").status == 201
    assert store.upload(bundle(number, new_id())).status == 403
    assert store.set_permission(number, code).status == 201
    assert store.upload(bundle(number, new_id())).status == 201


def test_a_no_before_any_upload(store):
    number = fresh_nhs_number()
    assert store.set_permission(number, "No").status == 201
    assert store.find(number).status == 403


def part(name, **value):
    return {"name": name, **value}


NUMBER = part("nhsNumber", valueString="9990000018")
ASK = part("permissionCode", valueCoding={"system": PERMISSION, "code": "Ask"})
WHERE = f"Parameter.Part named 'permissionCode' with valueCoding.system {PERMISSION}"

PARTS = {
    "no number": ([ASK], "Missing value for Parameter.Part 'nhsNumber'"),
    "empty number": (
        [part("nhsNumber", valueString=""), ASK],
        "Missing value for Parameter.Part 'nhsNumber'",
    ),
    "two numbers": (
        [NUMBER, NUMBER, ASK],
        "Exactly 1 Parameter.Part named 'nhsNumber' with not empty value expected",
    ),
    "no code": ([NUMBER], f"{WHERE} not found"),
    "two codes": ([NUMBER, ASK, ASK], f"Exactly 1 {WHERE} expected"),
    "code of another system": (
        [NUMBER, part("permissionCode", valueCoding={"system": "x", "code": "Ask"})],
        f"{WHERE} not found",
    ),
    "unheard-of code": (
        [NUMBER, part("permissionCode", valueCoding={"system": PERMISSION, "code": "Maybe"})],
        "Invalid value - Maybe in field 'valueCoding.code'",
    ),
    "code in lower case": (
        [NUMBER, part("permissionCode", valueCoding={"system": PERMISSION, "code": "no"})],
        "Invalid value - no in field 'valueCoding.code'",
    ),
    "wrong check digit": ([part("nhsNumber", valueString="9990000019"), ASK], UNKNOWN),
    "short number": ([part("nhsNumber", valueString="999000001"), ASK], UNKNOWN),
    "arabic digits": ([part("nhsNumber", valueString="٩٩٩٠٠٠٠٠١٨"), ASK], UNKNOWN),
}


@pytest.mark.parametrize("case", PARTS)
def test_refused(store, case):
    parts, text = PARTS[case]
    made = {"resourceType": "Parameters", "parameter": [{"name": "setPermissions", "part": parts}]}
    answer = store.post("/$setPermission", made, NHSD_Session_URID=ROLE)
    assert (answer.status, answer.issue) == (400, ("value", text))


@pytest.mark.parametrize(
    ("times", "text"),
    [
        (0, "Parameter named 'setPermissions' name not found"),
        (2, "Exactly 1 parameter named 'setPermissions' expected"),
    ],
)
def test_exactly_one_setting(store, times, text):
    made = permission("9990000018", "Ask")
    made["parameter"] *= times
    answer = store.post("/$setPermission", made, NHSD_Session_URID=ROLE)
    assert (answer.status, answer.issue) == (400, ("value", text))


def test_a_number_given_as_untraced_at_start(new_store):
    # 9999999998 is the one this store was started with; a valid one is needed to tell the two reasons apart.
    assert new_store.set_permission("9999999998", "Ask").issue == ("value", UNKNOWN)
    assert new_store.set_permission("9999999999", "Ask").status == 201
