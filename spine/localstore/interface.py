"""The published interface: every request under the base path passes `Interface.answer`, and only there.

A request is read, checked, turned into an Arrival, decided by the writer, and answered after the
commit. What stands between a caller and the store, as a gateway or a fault, stands in `answer`.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import math
import time
from collections.abc import Callable
from datetime import UTC, datetime

from aiohttp import web
from psycopg_pool import AsyncConnectionPool

from spine.localstore import answers, headers, outcomes
from spine.localstore import arrivals as a
from spine.localstore.alert_checks import read_alert, unknown_number
from spine.localstore.arrivals import Arrival, Verdict
from spine.localstore.bundle_checks import read_upload
from spine.localstore.configuration import BASE_PATH, MAX_BODY_BYTES, Configuration
from spine.localstore.faults import Faults
from spine.localstore.fhir_json import parse
from spine.localstore.issuer import Issuer
from spine.localstore.limits import Limits
from spine.localstore.misbehaving import misbehave
from spine.localstore.outcomes import Refusal
from spine.localstore.permission_checks import check_known, read_permission
from spine.localstore.query_checks import read_fetch, read_find
from spine.localstore.vocabulary import FHIR_JSON
from spine.localstore.writer import Writer

log = logging.getLogger("localstore")

_OPERATIONS: dict[str, dict[str, str]] = {
    "/Bundle": {"POST": a.UPLOAD, "GET": a.FETCH},
    "/DocumentReference": {"GET": a.FIND},
    "/$setPermission": {"POST": a.PERMISSION},
    "/AuditEvent": {"POST": a.ALERT},
}
_FOR_USERS_ONLY = (a.PERMISSION, a.ALERT)


class Interface:
    """Answers the five operations of the Summary Care Record FHIR API."""

    def __init__(
        self,
        configuration: Configuration,
        issuer: Issuer,
        writer: Writer,
        readers: AsyncConnectionPool,
        faults: Faults,
    ) -> None:
        self._configuration = configuration
        self._issuer = issuer
        self._faults = faults
        self.limits = Limits(configuration.requests_per_second, configuration.requests_per_minute)
        self._writer = writer
        self._readers = readers
        self._fill: dict[str, Callable[[Arrival, web.BaseRequest], None]] = {
            a.UPLOAD: self._fill_upload,
            a.PERMISSION: self._fill_permission,
            a.ALERT: self._fill_alert,
            a.FIND: _fill_find,
            a.FETCH: _fill_fetch,
        }

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        """Return what the caller gets: the interface's answer, or a fault that was ordered."""
        wait = self.limits.admit(time.monotonic())
        if wait is not None:
            # The gateway answers, so the service and its ledger never hear of it.
            return web.Response(status=429, headers={"Retry-After": str(math.ceil(wait))})
        fault = self._faults.meet(operation_of(request))
        if fault is None:
            return await self._serve(request)
        return await misbehave(fault, request, lambda: self._serve(request))

    async def _serve(self, request: web.BaseRequest) -> web.Response:
        """Return the answer to one request of the published interface; its ledger line is committed."""
        received_at = datetime.now(UTC)
        request_id, request_echo, request_refusal = headers.read_id(request.headers, headers.REQUEST_ID)
        correlation_id, correlation_echo, refusal = headers.read_id(request.headers, headers.CORRELATION_ID)
        arrival = Arrival(a.UNKNOWN, received_at, request_id, correlation_id)
        # The service looks at the correlation id first (Java UuidValidationFilter).
        arrival.refusal = refusal or request_refusal
        try:
            await self._read(arrival, request)
        except Refusal as found:
            arrival.refusal = arrival.refusal or found
        except Exception as error:  # noqa: BLE001 - a fault of ours is answered and witnessed too
            arrival.refusal = _own_fault(error)
        try:
            verdict = await self._writer.submit(arrival)
            body = await self._body(arrival, verdict, request)
        except Exception as error:  # noqa: BLE001 - as above
            verdict = Verdict(a.REFUSED, 500, _own_fault(error))
            body = outcomes.as_json(outcomes.failed())
        response = web.Response(status=verdict.status, body=body)
        if body:
            response.content_type = FHIR_JSON
        if verdict.refusal is not None and verdict.refusal.allow:
            response.headers["Allow"] = verdict.refusal.allow
        response.headers[headers.REQUEST_ID] = request_echo
        response.headers[headers.CORRELATION_ID] = correlation_echo
        return response

    async def _read(self, arrival: Arrival, request: web.BaseRequest) -> None:
        """Fill `arrival` from the request; raise the refusal that the request earns by itself."""
        verbs = _verbs(request)
        arrival.kind = operation_of(request)
        user_needed = arrival.kind in _FOR_USERS_ONLY
        headers.check_token(request.headers, self._configuration, self._issuer, user_needed=user_needed)
        if not verbs:
            raise Refusal(404, "not-found", f"{request.path} not found")
        if arrival.kind == a.UNKNOWN:
            text = f"Request method '{request.method}' not supported"
            raise Refusal(405, "not-supported", text, allow=", ".join(sorted(verbs)))
        if request.method == "POST":
            headers.check_media_type(request.headers)
            arrival.body = await _read_body(request)
            arrival.body_sha256 = hashlib.sha256(arrival.body).digest()
            headers.check_role(request.headers, needed=user_needed)
        self._fill[arrival.kind](arrival, request)

    def _fill_upload(self, arrival: Arrival, _request: web.BaseRequest) -> None:
        upload = read_upload(parse(arrival.body, "Bundle"))
        arrival.nhs_number = upload.nhs_number
        arrival.composition_id = upload.composition_id
        arrival.replaced_id = upload.replaced_id
        arrival.section_codes = upload.section_codes
        arrival.is_blank = upload.is_blank
        if upload.refusal is not None:
            raise upload.refusal

    def _fill_permission(self, arrival: Arrival, _request: web.BaseRequest) -> None:
        arrival.nhs_number, arrival.permission = read_permission(parse(arrival.body, "Parameters"))
        check_known(arrival.nhs_number, self._configuration.untraced_numbers)

    def _fill_alert(self, arrival: Arrival, _request: web.BaseRequest) -> None:
        arrival.nhs_number = read_alert(parse(arrival.body, "AuditEvent"))
        if arrival.nhs_number in self._configuration.untraced_numbers:
            raise unknown_number(arrival.nhs_number)

    async def _body(self, arrival: Arrival, verdict: Verdict, request: web.BaseRequest) -> bytes:
        if verdict.refusal is not None:
            return outcomes.as_json(verdict.refusal)
        if verdict.outcome != a.READ:
            return b""
        base_url = f"{request.scheme}://{request.host}{BASE_PATH}"
        assert arrival.nhs_number
        if verdict.current_id is None:
            return answers.nothing_found()
        if arrival.kind == a.FIND:
            permission = verdict.permission or ""
            return answers.document_reference(base_url, arrival.nhs_number, verdict.current_id, permission)
        if arrival.composition_id != verdict.current_id:
            return answers.nothing_found()
        return answers.summary(base_url, await self._stored(arrival.nhs_number, verdict.current_id))

    async def _stored(self, nhs_number: str, composition_id: str) -> bytes:
        query = "SELECT body FROM stored_summary WHERE nhs_number = %s AND composition_id = %s"
        async with self._readers.connection() as connection:
            cursor = await connection.execute(query, [nhs_number, composition_id], binary=True)
            row = await cursor.fetchone()
        assert row is not None
        body: bytes = row[0]
        return body


def operation_of(request: web.BaseRequest) -> str:
    """Return which operation a request asks for, by its path and verb alone."""
    return _verbs(request).get(request.method, a.UNKNOWN)


def _verbs(request: web.BaseRequest) -> dict[str, str]:
    return _OPERATIONS.get(request.path.removeprefix(BASE_PATH), {})


def _own_fault(error: Exception) -> Refusal:
    """Return the 500 for a fault of ours. Only its kind is logged, for its text may name a patient."""
    log.error("a request could not be answered: %s", type(error).__name__)
    return outcomes.failed()


def _fill_find(arrival: Arrival, request: web.BaseRequest) -> None:
    arrival.nhs_number = read_find(request.query)


def _fill_fetch(arrival: Arrival, request: web.BaseRequest) -> None:
    arrival.nhs_number, arrival.composition_id = read_fetch(request.query)


async def _read_body(request: web.BaseRequest) -> bytes:
    too_large = outcomes.too_large(MAX_BODY_BYTES)
    if (request.content_length or 0) > MAX_BODY_BYTES:
        raise too_large
    try:
        return await request.read()
    except web.HTTPRequestEntityTooLarge as error:
        raise too_large from error
    except (ConnectionError, asyncio.IncompleteReadError, web.RequestPayloadError) as error:
        raise Refusal(400, "value", "The request body was cut off") from error
