"""What reached the store, and what the store made of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from spine.localstore.outcomes import Refusal

UPLOAD: Final = "upload"
FIND: Final = "find"
FETCH: Final = "fetch"
PERMISSION: Final = "permission"
ALERT: Final = "alert"
# Not of the interface, so without a line in the ledger: an access token asked for.
TOKEN: Final = "token"
UNKNOWN: Final = "unknown"
KINDS: Final = (UPLOAD, PERMISSION, ALERT, FIND, FETCH, UNKNOWN)

ACCEPTED: Final = "accepted"
REPLAYED: Final = "replayed"
REFUSED: Final = "refused"
READ: Final = "read"
OUTCOMES: Final = (ACCEPTED, REFUSED, REPLAYED, READ)


@dataclass(slots=True)
class Arrival:
    """One request, read and checked as far as is possible without the database.

    `refusal` is set when those checks already refused it; it is then only written to the ledger.
    """

    kind: str
    received_at: datetime
    request_id: UUID
    correlation_id: UUID
    body: bytes = b""
    body_sha256: bytes | None = None
    nhs_number: str | None = None
    composition_id: str | None = None
    replaced_id: str | None = None
    section_codes: tuple[str, ...] | None = None
    is_blank: bool | None = None
    permission: str | None = None
    refusal: Refusal | None = None


@dataclass(slots=True)
class Verdict:
    """The store's decision about one arrival: outcome, HTTP status, and what was found."""

    outcome: str
    status: int
    refusal: Refusal | None = None
    permission: str | None = None
    current_id: str | None = None
