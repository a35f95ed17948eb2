"""Calls to the store over real HTTP, and the bundles to send it."""

import copy
import http.client
import json
import uuid
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlsplit

DATA = Path(__file__).parent / "scr-fhir-api"
NHS_NUMBER = "https://fhir.nhs.uk/Id/nhs-number"
PERMISSION = "https://fhir.nhs.uk/CodeSystem/SCR-ACSPermission"
ROLE = "555021935107"
FHIR = "application/fhir+json"


def data(path: str) -> bytes:
    return (DATA / path).read_bytes()


BULK = json.loads(data("uat-pairs/upload_scr/success/2-bulk.request.json"))


@dataclass(frozen=True)
class Answer:
    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def issue(self) -> tuple[str, str]:
        """Code and text of the one issue of an OperationOutcome."""
        (issue,) = self.json["issue"]
        assert self.json["resourceType"] == "OperationOutcome"
        assert self.headers["Content-Type"].startswith(FHIR)
        return issue["code"], issue["details"]["text"]


class Calls:
    """One method an operation, each giving the answer as it came."""

    def __init__(self, process):
        self.process = process

    def send(self, method: str, path: str, body: bytes | None = None, **headers: str) -> Answer:
        """`path` is below the interface's base path; header names are written with underscores."""
        return self.anywhere(method, f"/summary-care-record/FHIR/R4{path}", body, **headers)

    def anywhere(self, method: str, path: str, body: bytes | None = None, **headers: str) -> Answer:
        connection = http.client.HTTPConnection(urlsplit(self.process.base_url).netloc, timeout=60)
        try:
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request(method, path, body, named)
            answer = connection.getresponse()
            return Answer(answer.status, answer.headers, answer.read())
        finally:
            connection.close()

    def post(self, path: str, content, **headers: str) -> Answer:
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        return self.send("POST", path, body, **{"Content_Type": FHIR} | headers)

    def upload(self, content, **headers: str) -> Answer:
        return self.post("/Bundle", content, **headers)

    def set_permission(self, number: str, code: str, **headers: str) -> Answer:
        return self.post("/$setPermission", permission(number, code), **{"NHSD_Session_URID": ROLE} | headers)

    def alert(self, content, **headers: str) -> Answer:
        return self.post("/AuditEvent", content, **{"NHSD_Session_URID": ROLE} | headers)

    def find(self, number: str, more: str = "", **headers: str) -> Answer:
        return self.send(
            "GET", f"/DocumentReference?patient={quote(f'{NHS_NUMBER}|{number}')}{more}", **headers
        )

    def fetch(self, number: str, composition_id: str, **headers: str) -> Answer:
        subject = quote(f"{NHS_NUMBER}|{number}")
        query = f"composition.identifier={composition_id}&composition.subject:Patient.identifier={subject}"
        return self.send("GET", f"/Bundle?{query}", **headers)

    def current_id(self, number: str) -> str | None:
        found = self.find(number).json
        return found["entry"][0]["resource"]["masterIdentifier"]["value"] if found["total"] else None

    def last_sequence(self) -> int:
        return self.process.last_sequence()

    def lines(self, after: int) -> list[dict]:
        return self.process.ledger(after)


def new_id() -> str:
    return str(uuid.uuid4()).upper()


def bundle(number: str, composition_id: str, replaces: str | None = None) -> dict:
    """The published bulk example, for this patient and with this id."""
    made = copy.deepcopy(BULK)
    composition = made["entry"][0]["resource"]
    composition["identifier"]["value"] = composition_id
    del composition["relatesTo"]
    if replaces:
        composition["relatesTo"] = [{"code": "replaces", "targetIdentifier": {"value": replaces}}]
    the(made, "Patient")["identifier"][0]["value"] = number
    return made


def blank(number: str, composition_id: str, replaces: str | None = None) -> dict:
    """A withdrawal: the same without any section but the title."""
    made = bundle(number, composition_id, replaces)
    made["entry"][0]["resource"]["section"] = made["entry"][0]["resource"]["section"][:1]
    return made


def the(made: dict, resource_type: str) -> dict:
    """The one resource of that type in a bundle."""
    (found,) = [e["resource"] for e in made["entry"] if e["resource"]["resourceType"] == resource_type]
    return found


def permission(number: str, code: str) -> dict:
    parts = [
        {"name": "nhsNumber", "valueString": number},
        {"name": "permissionCode", "valueCoding": {"system": PERMISSION, "code": code}},
    ]
    return {"resourceType": "Parameters", "parameter": [{"name": "setPermissions", "part": parts}]}
