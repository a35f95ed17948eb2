"""The search sets the store answers with.

Shapes are those of the service's acceptance pairs (`get_scr_id/success`, `get_scr/success`): among
other things the leading space in the display text, and the Patient entry whose full URL is its bare id.
"""

from __future__ import annotations

import json
from typing import Any
from uuid import uuid4

from spine.localstore import vocabulary as v
from spine.localstore.fhir_json import child, objects

_GP_SUMMARY = {"coding": [{"system": v.SNOMED, "code": v.GP_SUMMARY, "display": f" {v.GP_SUMMARY_DISPLAY}"}]}


def nothing_found() -> bytes:
    """Return the empty search set: no summary, or not under the id asked for."""
    return _encode({"resourceType": "Bundle", "id": str(uuid4()), "type": "searchset", "total": 0})


def document_reference(base_url: str, nhs_number: str, composition_id: str, permission: str) -> bytes:
    """Return the search set that names a patient's current summary and permission."""
    reference_id, patient_id = str(uuid4()), str(uuid4())
    subject = f"composition.subject:Patient.identifier={v.NHS_NUMBER}|{nhs_number}"
    reference: dict[str, Any] = {
        "resourceType": "DocumentReference",
        "id": reference_id,
        "masterIdentifier": {"system": v.SUMMARY_ID, "value": composition_id},
        "status": "current",
        "type": _GP_SUMMARY,
        "subject": {"reference": f"Patient/{patient_id}"},
        "securityLabel": [{"coding": [{"system": v.PERMISSION, "code": permission}]}],
        "content": [
            {"attachment": {"url": f"{base_url}/Bundle?composition.identifier={composition_id}&{subject}"}}
        ],
        "context": {"event": [_GP_SUMMARY]},
    }
    patient = {
        "resourceType": "Patient",
        "id": patient_id,
        "identifier": [{"system": v.NHS_NUMBER, "value": nhs_number}],
    }
    entries = [
        {
            "fullUrl": f"{base_url}/DocumentReference/{reference_id}",
            "resource": reference,
            "search": {"mode": "match"},
        },
        {"fullUrl": patient_id, "resource": patient},
    ]
    bundle = {"resourceType": "Bundle", "id": str(uuid4()), "type": "searchset", "total": 1, "entry": entries}
    return _encode(bundle)


def summary(base_url: str, body: bytes) -> bytes:
    """Return a stored summary as the search set of its entries.

    The service rebuilds every resource from HL7 v3 and so gives new resource ids; the store keeps
    those that were sent.
    """
    sent = json.loads(body)
    entries = [_entry(base_url, child(entry, "resource")) for entry in objects(sent.get("entry"))]
    bundle = {
        "resourceType": "Bundle",
        "id": str(uuid4()).upper(),
        "identifier": sent["identifier"],
        "type": "searchset",
        "timestamp": sent["timestamp"],
        "total": len(entries),
        "entry": entries,
    }
    return _encode(bundle)


def _entry(base_url: str, resource: dict[str, Any]) -> dict[str, Any]:
    address = f"{base_url}/{resource.get('resourceType')}/{resource.get('id')}"
    return {"fullUrl": address, "resource": resource}


def _encode(bundle: dict[str, Any]) -> bytes:
    return json.dumps(bundle).encode()
