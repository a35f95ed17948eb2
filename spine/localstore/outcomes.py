"""Refusals: why the store would not do as asked, and the FHIR OperationOutcome that says so.

Texts are those of the real service where they are published (Java `OperationOutcomeExceptionHandler`,
`SpineDetectedIssuesHandler`, and its acceptance pairs); texts marked "ours" are not.
"""

from __future__ import annotations

import json
from dataclasses import dataclass


@dataclass(eq=False)
class Refusal(Exception):
    """A request that is not carried out: HTTP status, FHIR issue code, and the text for a person."""

    status: int
    code: str
    text: str
    severity: str = "error"
    allow: str | None = None


def bad_value(text: str) -> Refusal:
    """Return the 400 that the service answers to anything wrong with what was sent."""
    return Refusal(400, "value", text)


def bad_token() -> Refusal:
    """Return the 401 for a caller without a token that may do this."""
    return Refusal(401, "forbidden", "Invalid access token")


def no_permission() -> Refusal:
    """Return the 403 for a patient whose permission at the store is No (two spaces: as published)."""
    return Refusal(
        403,
        "forbidden",
        "Code: 420, Display: Business condition related to access control  which prevents the action being"
        " performed by PSIS;Code: 30418, Display: [PSIS-30418] - ACF does not permit access to resource",
    )


def number_missing_or_incorrect() -> Refusal:
    """Return the 400 for an NHS number that the store does not know or cannot read."""
    return bad_value(
        "Code: 400, Display: Invalid Request;Code: 35160, Display: [PSIS-35160] - Invalid input message."
        " Mandatory field NHS Number is missing or incorrect"
    )


def too_large(most: int) -> Refusal:
    """Return the 413 for a body of more bytes than that (the definition has no example; wording ours)."""
    return Refusal(413, "invalid", f"Request body is larger than {most} bytes")


def wrong_type(declared: str) -> Refusal:
    """Return the 415 for a body that is not declared as FHIR JSON."""
    return Refusal(415, "not-supported", f"Content type '{declared}' not supported")


def duplicate_event(composition_id: str, nhs_number: str) -> Refusal:
    """Return the 400 for a composition that is stored already (issue code as in the definition's example)."""
    text = f"[PSIS-30134] - Duplicate event with eventId {composition_id} and nhsNumber {nhs_number}."
    return Refusal(400, "invalid", text)


def duplicate_message() -> Refusal:
    """Return the 400 for an accepted X-Request-ID that comes back with another body (wording ours)."""
    return bad_value("Code: 401, Display: Duplicate message id")


def not_the_current_summary() -> Refusal:
    """Return the 400 for an upload that does not replace the summary now held (wording ours)."""
    return bad_value(
        "Code: 430, Display: Invalid update;Composition.relatesTo does not name the patient's current summary"
    )


def unavailable() -> Refusal:
    """Return the 503 for a store whose database cannot be reached: nothing was stored."""
    return Refusal(503, "transient", "Code: 503, Display: Service Not Available")


def timed_out() -> Refusal:
    """Return the 504 for an answer that was lost on the way: it may or may not be stored."""
    return Refusal(504, "transient", "Request processing timed out. Spine POST + polling GET has timed out")


def failed() -> Refusal:
    """Return the 500 for a fault of the store itself."""
    return Refusal(500, "exception", "Unexpected error", severity="fatal")


def as_json(refusal: Refusal) -> bytes:
    """Return the OperationOutcome of `refusal` as a response body."""
    issue = {"severity": refusal.severity, "code": refusal.code, "details": {"text": refusal.text}}
    return json.dumps({"resourceType": "OperationOutcome", "issue": [issue]}).encode()
