"""How each fault looks on the wire: the request is served or not, and the answer goes wrong."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from uuid import uuid4

from aiohttp import web

from spine.localstore import headers, outcomes
from spine.localstore.configuration import MAX_BODY_BYTES
from spine.localstore.faults import Fault, FaultKind
from spine.localstore.fhir_json import child, first, text
from spine.localstore.outcomes import Refusal
from spine.localstore.vocabulary import FHIR_JSON

# Serves the request properly: it is decided, stored and in the ledger when this returns.
Serve = Callable[[], Awaitable[web.Response]]

_PAGE = b"<!doctype html><title>Service unavailable</title><h1>Service unavailable</h1>"
_CHUNK = b"x" * 65536


async def misbehave(fault: Fault, request: web.BaseRequest, serve: Serve) -> web.StreamResponse:
    """Return what the caller gets of a request that meets `fault`."""
    return await _WAYS[fault.kind](fault, request, serve)


async def _delay(fault: Fault, request: web.BaseRequest, serve: Serve) -> web.StreamResponse:
    # It has arrived: what takes its time is done even if the caller does not wait for it any more.
    with contextlib.suppress(web.HTTPRequestEntityTooLarge, ConnectionError, web.RequestPayloadError):
        await request.read()
    await asyncio.sleep(fault.seconds)
    return await serve()


async def _error_before(_fault: Fault, request: web.BaseRequest, _serve: Serve) -> web.StreamResponse:
    return _refusing(request, outcomes.failed())


async def _error_after(_fault: Fault, request: web.BaseRequest, serve: Serve) -> web.StreamResponse:
    await serve()
    return _refusing(request, outcomes.failed())


async def _timeout_before(_fault: Fault, request: web.BaseRequest, _serve: Serve) -> web.StreamResponse:
    return _refusing(request, outcomes.timed_out())


async def _timeout_after(_fault: Fault, request: web.BaseRequest, serve: Serve) -> web.StreamResponse:
    await serve()
    return _refusing(request, outcomes.timed_out())


async def _silence_before(fault: Fault, request: web.BaseRequest, _serve: Serve) -> web.StreamResponse:
    await request.read()
    await asyncio.sleep(fault.seconds)
    return _cut(request)


async def _lost_answer(fault: Fault, request: web.BaseRequest, serve: Serve) -> web.StreamResponse:
    await serve()
    await asyncio.sleep(fault.seconds)
    return _cut(request)


async def _too_many(fault: Fault, _request: web.BaseRequest, _serve: Serve) -> web.StreamResponse:
    # The gateway answers before the service sees the request, so no id is echoed and no body promised.
    return web.Response(status=429, headers={"Retry-After": _retry_after(fault)})


async def _answered_twice(_fault: Fault, request: web.BaseRequest, serve: Serve) -> web.StreamResponse:
    answer = await serve()
    transport = request.transport
    assert transport is not None
    echo = answer.headers.get(headers.REQUEST_ID, "")
    again = f"HTTP/1.1 {answer.status} Again\r\nContent-Length: 0\r\n{headers.REQUEST_ID}: {echo}\r\n\r\n"
    # The second comes a moment later, when the caller may have put the connection away for reuse.
    asyncio.get_running_loop().call_later(0.05, transport.write, again.encode())
    return answer


async def _foreign_answer(_fault: Fault, _request: web.BaseRequest, _serve: Serve) -> web.StreamResponse:
    return web.Response(status=201, headers={headers.REQUEST_ID: str(uuid4()).upper()})


async def _garbage(_fault: Fault, request: web.BaseRequest, _serve: Serve) -> web.StreamResponse:
    return _answer(request, 200, b'{"resourceType": "Bun\xff\x00 all is well', FHIR_JSON)


async def _html_503(_fault: Fault, _request: web.BaseRequest, _serve: Serve) -> web.StreamResponse:
    return web.Response(status=503, body=_PAGE, content_type="text/html")


async def _huge_body(fault: Fault, request: web.BaseRequest, serve: Serve) -> web.StreamResponse:
    answer = await serve()
    return await _streamed(request, answer, fault.size, 0.0)


async def _slow_answer(fault: Fault, request: web.BaseRequest, serve: Serve) -> web.StreamResponse:
    answer = await serve()
    return await _streamed(request, answer, None, fault.seconds)


async def _redirect(_fault: Fault, request: web.BaseRequest, _serve: Serve) -> web.StreamResponse:
    elsewhere = f"{request.scheme}://{request.host}/somewhere-else"
    return web.Response(status=307, headers={"Location": elsewhere})


async def _duplicate(_fault: Fault, request: web.BaseRequest, serve: Serve) -> web.StreamResponse:
    answer = await serve()
    if request.method != "POST":
        return answer  # A question has no duplicate.
    composition = child(first(json.loads(await request.read()), "entry"), "resource")
    identifier = text(child(composition, "identifier"), "value").upper()
    return _refusing(request, outcomes.duplicate_event(identifier, ""))


async def _duplicate_of_other(_fault: Fault, request: web.BaseRequest, _serve: Serve) -> web.StreamResponse:
    return _refusing(request, outcomes.duplicate_event(str(uuid4()).upper(), ""))


async def _bad_request(_fault: Fault, request: web.BaseRequest, _serve: Serve) -> web.StreamResponse:
    return _refusing(request, outcomes.bad_value("Code: 400, Display: Invalid Request"))


async def _too_large(_fault: Fault, request: web.BaseRequest, _serve: Serve) -> web.StreamResponse:
    return _refusing(request, outcomes.too_large(MAX_BODY_BYTES))


async def _wrong_type(_fault: Fault, request: web.BaseRequest, _serve: Serve) -> web.StreamResponse:
    return _refusing(request, outcomes.wrong_type(request.headers.get("Content-Type", "")))


async def _forbidden(_fault: Fault, request: web.BaseRequest, _serve: Serve) -> web.StreamResponse:
    return _refusing(request, outcomes.no_permission())


async def _unauthorised(_fault: Fault, request: web.BaseRequest, _serve: Serve) -> web.StreamResponse:
    return _refusing(request, outcomes.bad_token())


_WAYS = {
    FaultKind.DELAY: _delay,
    FaultKind.ERROR_BEFORE: _error_before,
    FaultKind.ERROR_AFTER: _error_after,
    FaultKind.TIMEOUT_BEFORE: _timeout_before,
    FaultKind.TIMEOUT_AFTER: _timeout_after,
    FaultKind.SILENCE_BEFORE: _silence_before,
    FaultKind.LOST_ANSWER: _lost_answer,
    FaultKind.TOO_MANY: _too_many,
    FaultKind.ANSWERED_TWICE: _answered_twice,
    FaultKind.FOREIGN_ANSWER: _foreign_answer,
    FaultKind.GARBAGE: _garbage,
    FaultKind.HTML_503: _html_503,
    FaultKind.HUGE_BODY: _huge_body,
    FaultKind.SLOW_ANSWER: _slow_answer,
    FaultKind.REDIRECT: _redirect,
    FaultKind.DUPLICATE: _duplicate,
    FaultKind.DUPLICATE_OF_OTHER: _duplicate_of_other,
    FaultKind.BAD_REQUEST: _bad_request,
    FaultKind.TOO_LARGE: _too_large,
    FaultKind.WRONG_TYPE: _wrong_type,
    FaultKind.UNAUTHORISED: _unauthorised,
    FaultKind.FORBIDDEN: _forbidden,
}


def _retry_after(fault: Fault) -> str:
    if fault.retry_after != "date":
        return fault.retry_after
    return format_datetime(datetime.now(UTC) + timedelta(seconds=fault.seconds), usegmt=True)


def _refusing(request: web.BaseRequest, refusal: Refusal) -> web.Response:
    return _answer(request, refusal.status, outcomes.as_json(refusal), FHIR_JSON)


def _answer(request: web.BaseRequest, status: int, body: bytes, content_type: str) -> web.Response:
    """An answer that echoes the request's ids, as far as they were sent."""
    echoed = {
        name: request.headers[name]
        for name in (headers.REQUEST_ID, headers.CORRELATION_ID)
        if name in request.headers
    }
    return web.Response(status=status, body=body, content_type=content_type, headers=echoed)


def _cut(request: web.BaseRequest) -> web.Response:
    """Ends the connection in the middle; what is returned reaches nobody."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=500)


async def _streamed(
    request: web.BaseRequest, answer: web.Response, size: int | None, pause: float
) -> web.StreamResponse:
    """The answer's status and ids with another body: `size` bytes at once, or one byte each `pause`.

    Ends when the caller has had enough.
    """
    stream = web.StreamResponse(status=answer.status, headers=_echoes(answer))
    with contextlib.suppress(ConnectionError):
        await stream.prepare(request)
        left = size if size is not None else 10_000
        while left > 0:
            chunk = _CHUNK[:left] if size is not None else b" "
            await stream.write(chunk)
            left -= len(chunk)
            await asyncio.sleep(pause)
        await stream.write_eof()
    return stream


def _echoes(answer: web.Response) -> dict[str, str]:
    names = (headers.REQUEST_ID, headers.CORRELATION_ID)
    return {name: answer.headers[name] for name in names if name in answer.headers}
