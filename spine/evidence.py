"""What a decision of the gate rested on, as others may name it."""

from collections.abc import Mapping, Sequence
from typing import Any

from consent.models import ConsentEvent


def named(evidences: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The same evidence, consent events by their public ids. One query for all of them.

    The rest are revision numbers, which the policy and upload pages show as they are.
    """
    asked = {evidence["consent_event"] for evidence in evidences if evidence.get("consent_event")}
    events: dict[Any, Any] = {}
    if asked:
        events = dict(ConsentEvent.objects.filter(pk__in=asked).values_list("pk", "public_id"))
    return [
        {
            "consent_event": events.get(evidence.get("consent_event")),
            "stance": evidence.get("stance"),
            "gp_stance": evidence.get("gp_stance"),
            "positions": list(evidence.get("positions") or []),
            "dispensations": list(evidence.get("dispensations") or []),
            "consent_model": evidence.get("consent_model"),
            "stop": evidence.get("stop"),
        }
        for evidence in evidences
    ]
