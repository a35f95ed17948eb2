"""What a change of policy says, and the fingerprint that an approval is bound to. Pure."""

import datetime
import hashlib
import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from boycott.positions import DataScope, Position, Strength


@dataclass(frozen=True)
class Content:
    """All that its author decides. Times are moments, days are England's; empty lists: all England.

    `text` empty: the motion's own words. `starts_at` None: when it is approved.
    """

    motion: uuid.UUID
    position: Position
    reason: str
    strength: Strength = Strength.ADVICE
    data_scope: DataScope = DataScope.ALL
    region_codes: frozenset[str] = field(default_factory=frozenset)
    icb_codes: frozenset[str] = field(default_factory=frozenset)
    ods_codes: frozenset[str] = field(default_factory=frozenset)
    exempt_ods_codes: frozenset[str] = field(default_factory=frozenset)
    text: str = ""
    starts_at: datetime.datetime | None = None
    ends_at: datetime.datetime | None = None
    end_condition: str = ""
    review_on: datetime.date | None = None


def fingerprint(facts: Mapping[str, Any]) -> str:
    """SHA-256 of everything that would take effect, in one order and one spelling.

    Two writings with the same fingerprint put the same into force. Texts, numbers, lists of texts and
    moments are told apart, so no field can borrow from its neighbour.
    """
    plain = json.dumps(facts, sort_keys=True, ensure_ascii=False, default=_spelt, separators=(",", ":"))
    return hashlib.sha256(plain.encode()).hexdigest()


def _spelt(value: Any) -> str | list[str]:
    if isinstance(value, datetime.datetime):
        return value.astimezone(datetime.UTC).isoformat()
    if isinstance(value, datetime.date | uuid.UUID):
        return str(value)
    if isinstance(value, frozenset):
        return sorted(value)
    raise TypeError(f"{type(value).__name__} cannot be part of a fingerprint.")
