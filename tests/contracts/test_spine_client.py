"""The client against a server that does everything wrong, byte by byte."""

import asyncio
import contextlib
import uuid

import pytest

from spine.localstore import outcomes
from spine.sending import client as client_module
from spine.sending.answers import AnswerKind
from spine.sending.client import BODY_CAP, CurrentSummary, SpineClient
from spine.sending.credentials import FixedToken

IDS = {
    "request_id": "8e9b0e4e-8a3c-4c1e-9d0a-3f6b2c1d0e01",
    "correlation_id": "8e9b0e4e-8a3c-4c1e-9d0a-3f6b2c1d0e02",
}


OWN = "8e9b0e4e-8a3c-4c1e-9d0a-3f6b2c1d0e03"


class RawServer:
    """Reads a request, writes what it is told, and keeps what it saw."""

    def __init__(self, *scripts):
        self.scripts, self.seen, self.tasks = list(scripts), [], []

    async def __aenter__(self):
        self.server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self.server.sockets[0].getsockname()[1]}/FHIR/R4"
        return self

    async def __aexit__(self, *_):
        self.server.close()
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        await asyncio.sleep(0)

    async def _serve(self, reader, writer):
        self.tasks.append(asyncio.current_task())
        try:
            await self._answer(reader, writer)
        finally:
            writer.close()

    async def _answer(self, reader, writer):
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            while self.scripts:
                script = self.scripts.pop(0)
                if script == "close before reading":
                    break
                head = await reader.readuntil(b"\r\n\r\n")
                length = next(
                    (int(h[15:]) for h in head.split(b"\r\n") if h.lower().startswith(b"content-length:")), 0
                )
                self.seen.append((head, await reader.readexactly(length)))
                if script == "close after reading":
                    break
                if script == "say nothing":
                    await asyncio.sleep(30)
                for part in [script] if isinstance(script, bytes) else script:
                    if part == "wait":
                        await asyncio.sleep(0.02)
                    else:
                        writer.write(part)
                        await writer.drain()


def answer(status, body=b"", *headers):
    lines = [f"HTTP/1.1 {status} X", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


class SecondToken(FixedToken):
    """A token that the store has forgotten, and a newer one."""

    def instead_of(self, refused):
        return "newer"


def run(*scripts, call, connections=4, token=None, read_timeout=1.0, credentials=None):
    async def go():
        async with RawServer(*scripts) as server:
            client = SpineClient(
                server.url,
                connections=connections,
                read_timeout=read_timeout,
                credentials=credentials or FixedToken(token),
            )
            async with client:
                return await call(client), server

    return asyncio.run(go())


async def none_left():
    """No slot of the rate for a call that is made again."""
    return


def upload(body=b"{}", may_begin=lambda: True, again=none_left):
    return lambda client: client.upload(
        body, session_urid="555021935107", composition_id=OWN, may_begin=may_begin, again=again, **IDS
    )


def read(may_begin=lambda: True, again=none_left):
    return lambda client: client.read_current("9990000018", may_begin=may_begin, again=again, **IDS)


@pytest.mark.parametrize(
    "script, kind",
    [
        (answer(201), AnswerKind.ACCEPTED),
        (answer(403, outcomes.as_json(outcomes.no_permission())), AnswerKind.CONSENT_DIFFERS),
        (answer(403, b"<html>"), AnswerKind.UNAUTHORISED),
        (answer(429, b"", "Retry-After: 7"), AnswerKind.RATE_LIMITED),
        (answer(503, b"<html>"), AnswerKind.TRANSIENT),
        (answer(504), AnswerKind.UNKNOWN),
        (answer(200, b"all is well"), AnswerKind.UNKNOWN),
        (answer(302, b"", "Location: http://127.0.0.1:9/elsewhere"), AnswerKind.UNKNOWN),
        (answer(201, b"", f"X-Request-ID: {IDS['request_id'].upper()}"), AnswerKind.ACCEPTED),
        (answer(201, b"", f"X-Request-ID: {IDS['correlation_id']}"), AnswerKind.UNKNOWN),
        (b"utter nonsense\r\n\r\n", AnswerKind.UNKNOWN),
        (b"HTTP/1.1 201 X\r\nContent-Length: 100\r\n\r\ncut", AnswerKind.UNKNOWN),
        ("close after reading", AnswerKind.UNKNOWN),
        ("say nothing", AnswerKind.UNKNOWN),
    ],
    ids=lambda value: str(value)[:24],
)
def test_what_an_upload_comes_to(script, kind):
    found, server = run(script, call=upload())
    assert found.kind is kind
    assert len(server.seen) == 1, "a message is never repeated in silence"


@pytest.mark.parametrize(
    "begins, kind, calls",
    [
        (lambda: True, AnswerKind.ACCEPTED, 2),
        (lambda: False, AnswerKind.NOT_SENT, 1),
        (None, AnswerKind.NOT_SENT, 1),
    ],
    ids=["in its slot", "the slot is over", "no slot left"],
)
def test_a_refused_token_is_replaced_in_a_slot_of_its_own(begins, kind, calls):
    async def again():
        return begins

    found, server = run(answer(401), answer(201), call=upload(again=again), credentials=SecondToken("old"))
    assert found.kind is kind and len(server.seen) == calls


@pytest.mark.parametrize(
    "begins, found, calls",
    [
        (lambda: True, CurrentSummary(None, None), 3),
        (lambda: False, AnswerKind.NOT_SENT, 2),
        (None, AnswerKind.NOT_SENT, 2),
    ],
    ids=["in its slot", "the slot is over", "no slot left"],
)
def test_a_question_is_asked_again_in_a_slot_of_its_own_where_its_connection_was_closed(begins, found, calls):
    """The platform counts it, though the library that makes the call asks by itself."""

    async def again():
        return begins

    async def twice(client):
        assert await read()(client) == CurrentSummary(None, None)
        return await read(again=again)(client)

    nothing = answer(200, b'{"total": 0}')
    answered, server = run(nothing, "close after reading", nothing, call=twice)
    assert getattr(answered, "kind", answered) == found and len(server.seen) == calls


def test_nobody_listens():
    async def go():
        client = SpineClient(
            "http://127.0.0.1:9", connections=1, read_timeout=1, credentials=FixedToken(None)
        )
        async with client:
            return await upload()(client)

    found = asyncio.run(go())
    assert found.kind is AnswerKind.UNREACHABLE and not found.was_sent


def test_a_kept_connection_that_was_closed_meanwhile_is_not_trusted():
    """The server closes after its first answer; whether the second message arrived is not known."""

    async def twice(client):
        first = await upload()(client)
        await asyncio.sleep(0.05)
        return first, await upload()(client)

    (first, second), server = run(answer(201), "close after reading", call=twice)
    assert first.kind is AnswerKind.ACCEPTED
    assert second.kind is AnswerKind.UNKNOWN and second.was_sent
    assert len(server.seen) == 2


def test_no_byte_leaves_once_the_time_to_begin_is_over():
    found, server = run(answer(201), call=upload(may_begin=lambda: False))
    assert found.kind is AnswerKind.NOT_SENT and not found.was_sent
    assert server.seen == []


def test_waiting_for_a_connection_does_not_stretch_the_time_to_begin():
    """One connection, held by a slow answer; the second message's time is over when it is free."""
    allowed = {"yes": True}

    async def two(client):
        slow = asyncio.create_task(upload(b"first")(client))
        await asyncio.sleep(0.05)
        waiting = asyncio.create_task(upload(b"second", may_begin=lambda: allowed["yes"])(client))
        await asyncio.sleep(0.05)
        allowed["yes"] = False
        return await slow, await waiting

    (first, second), server = run("say nothing", answer(201), call=two, connections=1, read_timeout=0.3)
    assert first.kind is AnswerKind.UNKNOWN
    assert second.kind is AnswerKind.NOT_SENT
    assert [body for _, body in server.seen] == [b"first"]


def test_headers():
    _, server = run(answer(201), call=upload(b"body"), token="secret")
    head, body = server.seen[0]
    assert body == b"body"
    for line in (
        b"Content-Type: application/fhir+json",
        b"Authorization: Bearer secret",
        b"NHSD-Session-URID: 555021935107",
        b"X-Request-ID: " + IDS["request_id"].encode(),
        b"X-Correlation-ID: " + IDS["correlation_id"].encode(),
    ):
        assert line in head.split(b"\r\n")


@pytest.mark.parametrize(
    "body, found",
    [
        (b'{"total": 0}', CurrentSummary(None, None)),
        (
            b'{"total": 1, "entry": [{"resource": {"masterIdentifier": {"value": "A"},'
            b' "securityLabel": [{"coding": [{"code": "Ask"}]}]}}]}',
            CurrentSummary("A", "Ask"),
        ),
    ],
)
def test_reading(body, found):
    assert run(answer(200, body), call=read())[0] == found


@pytest.mark.parametrize("body", [b"", b"null", b"[]", b'{"total": 1}', b'{"entry": [{}]}', b"\xff"])
def test_what_cannot_be_read_is_tried_again(body):
    assert run(answer(200, body), call=read())[0].kind is AnswerKind.TRANSIENT


def test_an_answer_left_over_from_before_is_nobodys():
    """The server says everything twice; the second time is not the answer to the next message."""
    echo = f"X-Request-ID: {IDS['request_id']}"

    async def twice(client):
        first = await upload()(client)
        await asyncio.sleep(0.05)
        ids = {"request_id": str(uuid.uuid4()), "correlation_id": IDS["correlation_id"]}
        second = await client.upload(
            b"{}", session_urid="", composition_id=OWN, may_begin=lambda: True, again=none_left, **ids
        )
        return first, second

    twofold = [answer(201, b"", echo), "wait", answer(201, b"", echo)]
    (first, second), _ = run(twofold, answer(201), call=twice)
    assert first.kind is AnswerKind.ACCEPTED
    assert second.kind is AnswerKind.UNKNOWN


def test_an_answer_byte_by_byte_has_an_end(monkeypatch):
    monkeypatch.setattr(client_module, "CONNECT_SECONDS", 0.1)
    head = b"HTTP/1.1 201 X\r\nContent-Length: 100\r\n\r\n"
    slow = [head, *("wait", b"x") * 50]
    found, _ = run(slow, call=upload(), read_timeout=0.3)
    assert found.kind is AnswerKind.UNKNOWN


def test_an_endless_answer_is_cut():
    found, _ = run(answer(200, b"x" * (BODY_CAP * 3)), call=read(), read_timeout=5)
    assert found.kind is AnswerKind.TRANSIENT


def test_the_number_is_in_the_question_alone_and_the_fault_does_not_repeat_it():
    found, server = run(b"nonsense\r\n\r\n", call=read())
    assert b"9990000018" in server.seen[0][0]
    assert "9990000018" not in repr(found)
