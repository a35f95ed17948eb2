"""Talking to the Summary Care Record FHIR API over kept-alive connections.

Four calls: what the store holds now for a patient, that copy itself, the upload of a message, and the
permission that a user sets. None follows a redirect or reads more than a mebibyte, and a message is not repeated in
silence. The interface puts the NHS number into the address of the first two, so nothing here logs addresses.
"""

import asyncio
import datetime
import io
import json
from contextvars import ContextVar
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import aiohttp
from aiohttp.connector import Connection

from spine.sending.answers import Answer, AnswerKind, classify
from spine.sending.credentials import Credentials, NoToken
from spine.sending.slots import MayBegin, Turn

NHS_NUMBER = "https://fhir.nhs.uk/Id/nhs-number"
PERMISSION = "https://fhir.nhs.uk/CodeSystem/SCR-ACSPermission"
CONTENT_TYPE = "application/fhir+json"
CONNECT_SECONDS = 5.0
BODY_CAP = 1024 * 1024
# What is written to a connection in one go.
WHOLE_BODY = 256 * 1024


@dataclass(frozen=True)
class CurrentSummary:
    """What the store holds for a patient: the id of the copy, and the permission, where there are.

    `copy` is the copy itself as the store gives it, where it was asked for.
    """

    composition_id: str | None
    permission: str | None
    copy: bytes | None = None


class _TooLate(Exception):
    """The right to begin was over when a connection was in hand."""


@dataclass
class _Progress:
    """One call on its way: its right to begin, how to get it anew, and whether bytes of it may have left."""

    may_begin: MayBegin
    again: Turn
    left: bool = False


_progress: ContextVar[_Progress] = ContextVar("progress")


class _TimedRequest(aiohttp.ClientRequest):
    """Asks for the right to begin when a connection is in hand and nothing is written yet.

    Waiting for a connection, or a slow connect, cannot make a send begin after its time. A connection in which nothing
    could begin is closed by aiohttp. It asks a question once more, and only a question, where a kept-alive connection
    turns out to be closed at the other end: another request for the platform that counts, so in a slot of its own.
    """

    async def send(self, conn: Connection) -> aiohttp.ClientResponse:
        call = _progress.get()
        if call.left:
            turn = await call.again()
            if turn is None:
                raise _TooLate
            call.may_begin = turn
        if not call.may_begin():
            raise _TooLate
        call.left = True
        return await super().send(conn)


class SpineClient:
    """One pool of connections; use as `async with`."""

    def __init__(
        self, base_url: str, *, connections: int, read_timeout: float, credentials: Credentials
    ) -> None:
        self._base_url = base_url.rstrip("/")
        self._connections = connections
        self._timeout = aiohttp.ClientTimeout(
            # In all, so that an answer that comes byte by byte has an end too.
            total=2 * CONNECT_SECONDS + read_timeout,
            sock_connect=CONNECT_SECONDS,
            sock_read=read_timeout,
        )
        self._credentials = credentials

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=self._connections, keepalive_timeout=60),
            timeout=self._timeout,
            request_class=_TimedRequest,
            trust_env=False,
            cookie_jar=aiohttp.DummyCookieJar(),
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._session.close()

    async def read_current(
        self, nhs_number: str, *, request_id: str, correlation_id: str, may_begin: MayBegin, again: Turn
    ) -> CurrentSummary | Answer:
        """What the store holds now for a patient, or the answer that says why that is not known."""
        found = await self._call(
            "GET",
            "/DocumentReference",
            request_id,
            correlation_id,
            may_begin,
            again,
            params={"patient": f"{NHS_NUMBER}|{nhs_number}"},
        )
        if isinstance(found, Answer):
            return found
        status, headers, body = found
        if status != 200:
            return classify(status, headers, body, now=_now())
        return _current(body) or Answer(AnswerKind.TRANSIENT, status, detail="unreadable")

    async def read_summary(
        self,
        nhs_number: str,
        composition_id: str,
        *,
        request_id: str,
        correlation_id: str,
        may_begin: MayBegin,
        again: Turn,
    ) -> bytes | Answer:
        """The store's present copy, as a search set of its resources, or the answer that says why not."""
        found = await self._call(
            "GET",
            "/Bundle",
            request_id,
            correlation_id,
            may_begin,
            again,
            params={
                "composition.identifier": composition_id,
                "composition.subject:Patient.identifier": f"{NHS_NUMBER}|{nhs_number}",
            },
        )
        if isinstance(found, Answer) or found[0] == 200:
            return found if isinstance(found, Answer) else found[2]
        return classify(*found, now=_now())

    async def upload(
        self,
        body: bytes,
        *,
        request_id: str,
        correlation_id: str,
        session_urid: str,
        composition_id: str,
        may_begin: MayBegin,
        again: Turn,
    ) -> Answer:
        """Sends a message and says what became of it; never raises for what the store or network does.

        `session_urid` is the author's role profile id: optional in the API's definition, asked for
        by the service. `composition_id` is the message's own: what a duplicate is compared with.
        """
        found = await self._call(
            "POST",
            "/Bundle",
            request_id,
            correlation_id,
            may_begin,
            again,
            data=body,
            session_urid=session_urid,
        )
        if isinstance(found, Answer):
            return found
        return classify(*found, now=_now(), own_id=composition_id)

    async def set_permission(
        self,
        nhs_number: str,
        code: str,
        *,
        request_id: str,
        correlation_id: str,
        session_urid: str,
        may_begin: MayBegin,
        again: Turn,
    ) -> Answer:
        """Sets the permission of a patient in the name of a user's role; never raises, as `upload`."""
        body = json.dumps(_permission(nhs_number, code)).encode()
        found = await self._call(
            "POST",
            "/$setPermission",
            request_id,
            correlation_id,
            may_begin,
            again,
            data=body,
            session_urid=session_urid,
        )
        return found if isinstance(found, Answer) else classify(*found, now=_now())

    async def _call(
        self,
        method: str,
        path: str,
        request_id: str,
        correlation_id: str,
        may_begin: MayBegin,
        again: Turn,
        session_urid: str = "",
        **more: Any,
    ) -> tuple[int, dict[str, str], bytes] | Answer:
        """One call, and once more with another token where the store refused ours.

        What refuses a token stands before the service: nothing of the first call has reached it. The
        platform counts it all the same, so the second call waits for a slot of its own.
        """
        headers = _headers(request_id, correlation_id, session_urid)
        try:
            token = await self._token()
            found = await self._once(method, path, headers, token, may_begin, again, **more)
            if token is None or isinstance(found, Answer) or found[0] != 401:
                return found
            another = await asyncio.to_thread(self._credentials.instead_of, token)
            if another is None:
                return found
            turn = await again()
            if turn is None:
                return Answer(AnswerKind.NOT_SENT)
            return await self._once(method, path, headers, another, turn, again, **more)
        except NoToken as error:
            return error.answer

    async def _token(self) -> str | None:
        known, token = self._credentials.at_hand()
        return token if known else await asyncio.to_thread(self._credentials.token)

    async def _once(
        self,
        method: str,
        path: str,
        headers: dict[str, str],
        token: str | None,
        may_begin: MayBegin,
        again: Turn,
        **more: Any,
    ) -> tuple[int, dict[str, str], bytes] | Answer:
        call = _Progress(may_begin, again)
        # The calls of a task come one after the other, and each task has a context of its own.
        _progress.set(call)
        try:
            async with self._session.request(
                method,
                self._base_url + path,
                headers=headers | ({"Authorization": f"Bearer {token}"} if token else {}),
                allow_redirects=False,
                **_in_pieces(more),
            ) as answer:
                body = await _read_capped(answer)
                if not _is_for(headers["X-Request-ID"], answer):
                    # What else this connection holds is not known either: it is not used again.
                    answer.close()
                    return Answer(AnswerKind.UNKNOWN, answer.status, detail="answer to another request")
                return answer.status, dict(answer.headers), body
        except _TooLate:
            return Answer(AnswerKind.NOT_SENT)
        except (TimeoutError, aiohttp.ClientError, OSError, ValueError) as error:
            kind = AnswerKind.UNKNOWN if call.left else AnswerKind.UNREACHABLE
            return Answer(kind, detail=type(error).__name__)


def _headers(request_id: str, correlation_id: str, session_urid: str) -> dict[str, str]:
    headers = {
        "Content-Type": CONTENT_TYPE,
        "Accept": CONTENT_TYPE,
        "X-Request-ID": request_id,
        "X-Correlation-ID": correlation_id,
    }
    return headers | ({"NHSD-Session-URID": session_urid} if session_urid else {})


def _in_pieces(more: dict[str, Any]) -> dict[str, Any]:
    """A body too large to be written at once is written piece by piece, so that other lanes go on."""
    body = more.get("data", b"")
    return more if len(body) <= WHOLE_BODY else more | {"data": io.BytesIO(body)}


def _permission(nhs_number: str, code: str) -> dict[str, object]:
    """The body of `$setPermission` (its definition's `Parameters`)."""
    parts = [
        {"name": "nhsNumber", "valueString": nhs_number},
        {"name": "permissionCode", "valueCoding": {"system": PERMISSION, "code": code}},
    ]
    return {"resourceType": "Parameters", "parameter": [{"name": "setPermissions", "part": parts}]}


def _is_for(request_id: str, answer: aiohttp.ClientResponse) -> bool:
    """Whether an answer is to our request: the service echoes its id, the gateway may leave it out."""
    echoed = answer.headers.get("X-Request-ID", request_id)
    return echoed.lower() == request_id.lower()


async def _read_capped(answer: aiohttp.ClientResponse) -> bytes:
    """At most `BODY_CAP` bytes; a longer body is cut, and its connection not used again."""
    body = bytearray()
    async for chunk in answer.content.iter_chunked(65536):
        body += chunk
        if len(body) > BODY_CAP:
            answer.close()
            break
    return bytes(body[:BODY_CAP])


def _current(body: bytes) -> CurrentSummary | None:
    """The id and permission in a search set, or None where it cannot be read."""
    try:
        found = json.loads(body)
        if not found.get("entry"):
            return CurrentSummary(None, None) if found["total"] == 0 else None
        reference = found["entry"][0]["resource"]
        permission = reference["securityLabel"][0]["coding"][0]["code"]
        return CurrentSummary(reference["masterIdentifier"]["value"], permission)
    except (ValueError, KeyError, IndexError, TypeError, AttributeError):
        return None


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)
