"""A store in the place of the network: it decides by the local store's own rules, and can lose what it answers."""

import datetime
import hashlib
import threading
import uuid

from spine.localstore import arrivals, outcomes
from spine.localstore.bundle_checks import read_upload
from spine.localstore.decisions import Holdings, decide
from spine.localstore.fhir_json import parse
from spine.sending.answers import Answer, AnswerKind, classify
from spine.sending.client import CurrentSummary


class Died(BaseException):
    """The sender is gone: nothing after this point runs."""


class ModelStore:
    """What arrived and what is held. `allows` is asked of each message that the store would accept.

    `answers`: what goes wrong with the next messages: `lost before`, `lost after`, `not now`, `dies`, `repeated`.
    """

    def __init__(self, allows):
        self.allows = allows
        self.answers = []
        self.accepted = []
        self.forbidden = []
        self._held = Holdings()
        self._lock = threading.Lock()

    def current(self, nhs_number):
        """The last accepted upload of a patient, or None."""
        return next((one for one in reversed(self.accepted) if one.nhs_number == nhs_number), None)

    def find(self, nhs_number):
        arrival = _arrival(arrivals.FIND, str(uuid.uuid4()))
        arrival.nhs_number = nhs_number
        with self._lock:
            verdict = decide(arrival, self._held)
        return CurrentSummary(verdict.current_id, verdict.permission)

    def take(self, body, request_id, composition_id):
        wrong = self.answers.pop(0) if self.answers else ""
        if wrong == "lost before":
            return Answer(AnswerKind.UNKNOWN, 504)
        if wrong == "not now":
            return Answer(AnswerKind.TRANSIENT, 503)
        answer = self._stored(body, request_id, composition_id)
        if wrong == "repeated":
            answer = self._stored(body, request_id, composition_id)
        if wrong == "dies":
            raise Died
        return Answer(AnswerKind.UNKNOWN, 504) if wrong == "lost after" else answer

    def _stored(self, body, request_id, composition_id):
        upload = read_upload(parse(body, "Bundle"))
        assert upload.refusal is None, upload.refusal
        arrival = _arrival(arrivals.UPLOAD, request_id, body)
        arrival.nhs_number, arrival.composition_id = upload.nhs_number, upload.composition_id
        arrival.replaced_id, arrival.is_blank = upload.replaced_id, upload.is_blank
        with self._lock:
            verdict = decide(arrival, self._held)
            if verdict.outcome == arrivals.ACCEPTED:
                self.accepted.append(arrival)
                if not upload.is_blank and not self.allows(upload.nhs_number):
                    self.forbidden.append(arrival)
        said = outcomes.as_json(verdict.refusal) if verdict.refusal else b""
        return classify(verdict.status, {}, said, now=arrival.received_at, own_id=composition_id)


class ModelClient:
    """Stands for `spine.sending.client.SpineClient`; one world at a time, set by the test."""

    world: ModelStore

    def __init__(self, *args, **kwargs):
        pass

    async def __aenter__(self):
        return self

    async def __aexit__(self, *_):
        pass

    async def read_current(self, nhs_number, **_):
        return self.world.find(nhs_number)

    async def upload(self, body, *, request_id, composition_id, may_begin, **_):
        if not may_begin():
            return Answer(AnswerKind.NOT_SENT)
        return self.world.take(body, request_id, composition_id)


def _arrival(kind, request_id, body=b""):
    now = datetime.datetime.now(datetime.UTC)
    digest = hashlib.sha256(body).digest()
    return arrivals.Arrival(kind, now, uuid.UUID(request_id), uuid.UUID(request_id), body, digest)
