"""The store's answers, and what each means for a message. Pure.

Source: the service's error mapping (spine-interface notes 1.3) and what the trusted ones promise
(performance notes 4.2): a 504 does not mean that the request failed; a duplicate of our own id
means that it was accepted earlier; a 403 of Spine's own means that consent differs and is never tried
again. A 403 without Spine's code comes from whoever stands before it, and says nothing of the patient.
"""

import datetime
import json
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from enum import StrEnum

# Longer than the longest rung of the retry ladder would be a fault of the store, not a wish.
LONGEST_WAIT = datetime.timedelta(hours=16)
DUPLICATE_CODE = "PSIS-30134"
NO_PERMISSION_CODE = "PSIS-30418"


class AnswerKind(StrEnum):
    """What became of a message, as far as the answer tells."""

    ACCEPTED = "ACCEPTED"
    DUPLICATE = "DUPLICATE"  # of our own id: accepted earlier
    CONSENT_DIFFERS = "CONSENT_DIFFERS"  # the store's own permission says no
    REFUSED = "REFUSED"
    TOO_LARGE = "TOO_LARGE"
    UNSUPPORTED = "UNSUPPORTED"  # wrong address, verb or form: of this service's making
    UNAUTHORISED = "UNAUTHORISED"
    RATE_LIMITED = "RATE_LIMITED"
    TRANSIENT = "TRANSIENT"
    UNKNOWN = "UNKNOWN"  # it may have arrived
    UNREACHABLE = "UNREACHABLE"  # it cannot have arrived: no byte of it left
    NOT_SENT = "NOT_SENT"  # the right to begin was over before a byte left
    NOT_WRITTEN = "NOT_WRITTEN"  # no answer at all: the message could not be written


# Nothing of the message left.
_NEVER_LEFT = {AnswerKind.UNREACHABLE, AnswerKind.NOT_SENT, AnswerKind.NOT_WRITTEN}

# Answers that may say how long to wait.
MAY_WAIT = {AnswerKind.RATE_LIMITED, AnswerKind.TRANSIENT}

_BY_STATUS = {
    201: AnswerKind.ACCEPTED,
    400: AnswerKind.REFUSED,
    401: AnswerKind.UNAUTHORISED,
    403: AnswerKind.CONSENT_DIFFERS,
    404: AnswerKind.UNSUPPORTED,  # No such path: of a patient it says nothing.
    405: AnswerKind.UNSUPPORTED,
    413: AnswerKind.TOO_LARGE,
    415: AnswerKind.UNSUPPORTED,
    429: AnswerKind.RATE_LIMITED,
    # Spine said that it is not available; the service has not stored it.
    503: AnswerKind.TRANSIENT,
}


@dataclass(frozen=True)
class Answer:
    """One answer. `detail` holds codes only, never text that could name a patient."""

    kind: AnswerKind
    status: int | None = None
    # Seconds that the store asks to wait.
    retry_after: float | None = None
    detail: str = ""

    @property
    def was_sent(self) -> bool:
        """Whether bytes of the message may have left."""
        return self.kind not in _NEVER_LEFT


def classify(
    status: int, headers: Mapping[str, str], body: bytes, *, now: datetime.datetime, own_id: str = ""
) -> Answer:
    """What an answer to our message means. A status that is not known leaves the outcome unknown.

    `own_id` is the id of the message's composition: that the store has another one already says
    nothing about ours.
    """
    codes = _codes(body)
    kind = _BY_STATUS.get(status, AnswerKind.UNKNOWN)
    if status == 400 and DUPLICATE_CODE in codes:
        ours = bool(own_id) and own_id.upper().encode() in body.upper()
        kind = AnswerKind.DUPLICATE if ours else AnswerKind.UNKNOWN
    if kind is AnswerKind.CONSENT_DIFFERS and NO_PERMISSION_CODE not in codes:
        kind = AnswerKind.UNAUTHORISED
    wait = _retry_after(headers.get("Retry-After", ""), now) if kind in MAY_WAIT else None
    return Answer(kind, status, wait, codes[:200])


def _codes(body: bytes) -> str:
    """Issue codes and PSIS codes of an OperationOutcome; nothing for any other body."""
    try:
        issues = json.loads(body)["issue"]
        found = [_issue_codes(issue) for issue in issues]
    except (ValueError, KeyError, TypeError, AttributeError):
        return ""
    return " ".join(part for part in found if part)


def _issue_codes(issue: Mapping[str, object]) -> str:
    details = issue.get("details")
    text = str(details.get("text", "")) if isinstance(details, Mapping) else ""
    psis = [word.strip("[]-,;.") for word in text.split() if word.startswith("[PSIS-")]
    return " ".join([str(issue.get("code", ""))[:30], *(word[:20] for word in psis)]).strip()


def _retry_after(value: str, now: datetime.datetime) -> float | None:
    """Seconds from a Retry-After of either form, at most `LONGEST_WAIT`; None where it says nothing."""
    text = value.strip()
    if text.isascii() and text.isdigit():
        seconds = float(text[:12])
    else:
        try:
            seconds = (parsedate_to_datetime(text) - now).total_seconds()
        except (ValueError, TypeError):
            return None
    return min(max(seconds, 0.0), LONGEST_WAIT.total_seconds())
