"""What the store does with an arrival, given what it holds: pure, one arrival at a time, in order.

The order of the checks follows the service: permission before storing (Java `UploadScrService`), then
Spine's own refusals. Two readings are ours, since the service leaves them to Spine: what counts as a
repeated request, and which summary an upload may replace (docs/adr/0020-local-store.md).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from uuid import UUID

from spine.localstore import arrivals as a
from spine.localstore import outcomes
from spine.localstore.arrivals import Arrival, Verdict
from spine.localstore.outcomes import Refusal
from spine.localstore.vocabulary import ASK, NO


@dataclass(slots=True)
class Holdings:
    """What the store holds about the patients and requests of one batch; decisions change it."""

    permissions: dict[str, str] = field(default_factory=dict)
    current: dict[str, str] = field(default_factory=dict)
    stored: set[tuple[str, str]] = field(default_factory=set)
    requests: dict[UUID, tuple[str, bytes | None]] = field(default_factory=dict)

    def permission_of(self, nhs_number: str) -> str:
        """Return the permission set for a patient; nobody asked counts as Ask."""
        return self.permissions.get(nhs_number, ASK)


def decide(arrival: Arrival, held: Holdings) -> Verdict:
    """Return the verdict on `arrival` and apply it to `held`."""
    if arrival.refusal is not None:
        return _refused(arrival.refusal)
    if arrival.kind in (a.FIND, a.FETCH):
        return _read(arrival, held)
    earlier = held.requests.get(arrival.request_id)
    if earlier == (arrival.kind, arrival.body_sha256):
        # The first answer again, whatever has changed since. Refused requests are not remembered:
        # "if you re-send a failed request, use the same value".
        return Verdict(a.REPLAYED, 201)
    refusal = _refusal_of_upload(arrival, held) if arrival.kind == a.UPLOAD else None
    if earlier is not None:
        refusal = refusal or outcomes.duplicate_message()
    if refusal is not None:
        return _refused(refusal)
    _apply(arrival, held)
    return Verdict(a.ACCEPTED, 201)


def _refused(refusal: Refusal) -> Verdict:
    return Verdict(a.REFUSED, refusal.status, refusal)


def _read(arrival: Arrival, held: Holdings) -> Verdict:
    assert arrival.nhs_number
    permission = held.permission_of(arrival.nhs_number)
    if permission == NO:
        return _refused(outcomes.no_permission())
    return Verdict(a.READ, 200, permission=permission, current_id=held.current.get(arrival.nhs_number))


def _refusal_of_upload(arrival: Arrival, held: Holdings) -> Refusal | None:
    number, composition_id = arrival.nhs_number, arrival.composition_id
    assert number and composition_id
    if held.permission_of(number) == NO:
        return outcomes.no_permission()
    if (number, composition_id) in held.stored:
        return outcomes.duplicate_event(composition_id, number)
    # A patient of whom nothing is held may be uploaded with any id to replace: the service's own
    # acceptance pair (upload_scr/not_found) does so and gets 201.
    current = held.current.get(number)
    if current is not None and arrival.replaced_id != current:
        return outcomes.not_the_current_summary()
    return None


def _apply(arrival: Arrival, held: Holdings) -> None:
    number = arrival.nhs_number
    assert number
    if arrival.kind == a.UPLOAD:
        assert arrival.composition_id
        held.stored.add((number, arrival.composition_id))
        held.current[number] = arrival.composition_id
    elif arrival.kind == a.PERMISSION:
        assert arrival.permission
        held.permissions[number] = arrival.permission
    held.requests[arrival.request_id] = (arrival.kind, arrival.body_sha256)
