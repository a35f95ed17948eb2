"""Examples of the API's description. A test sends each of them and gets the answer that it names."""

from typing import Any

from drf_spectacular.utils import OpenApiExample

FIND = {"nhs_number": "999 000 0018", "born_on": "1970-06-12"}
CONSENT = {
    "preference": "EXPRESS_CORE",
    "source": "FORM",
    "decided_on": "2007-05-14",
    "reference": "F 2007/118",
    "seen": None,
    "key": "0b7b3a52-5c8e-4a41-9d1c-3e6f6ad0f6a4",
}
REFUSAL = {"preference": "EXPRESS_DISSENT", "source": "PHONE", "decided_on": "2007-05-14"}
BY_ANOTHER = {
    "preference": "EXPRESS_CORE",
    "source": "REPRESENTATIVE",
    "decided_on": "2007-05-14",
    "reference": "L 2007/9",
    "representative_name": "Ann Carter",
    "representative_authority": "Lasting power of attorney",
}
WITHDRAWAL = {
    "preference": "WITHDRAWN",
    "source": "PHONE",
    "decided_on": "2007-05-21",
    "note": "Wants to read more about it first",
}
INVALID = {"note": "It was recorded for the wrong patient"}


def sent(name: str, value: dict[str, Any]) -> OpenApiExample:
    return OpenApiExample(name, value=value, request_only=True)


OF_FIND = [sent("A patient with their letter", FIND)]
OF_DECISION = [
    sent("Consent by a form that came back, safe to send twice", CONSENT),
    sent("Refusal by telephone", REFUSAL),
    sent("Consent that was given before is withdrawn", WITHDRAWAL),
    sent("Consent given by somebody else for the patient", BY_ANOTHER),
]
OF_INVALID = [sent("A decision that should never have been recorded", INVALID)]
