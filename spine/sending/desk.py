"""The store as a person at a page asks it: one question or one permission, answered while they wait.

A permission is set by a person and never by a job: the interface asks for a user's own token and role
(its definition, "Security and authorisation"). So no task comes here (an architecture test says so).
"""

import asyncio
import uuid
from collections.abc import Awaitable, Callable
from typing import TypeVar

from django.conf import settings

from spine.sending.answers import Answer, AnswerKind
from spine.sending.client import CurrentSummary, SpineClient
from spine.sending.credentials import Credentials, FixedToken, from_settings
from spine.sending.rate import Rate
from spine.sending.slots import Turn

# Somebody waits: an answer that takes longer is lost to them, and the store is asked again by hand.
WAIT_SECONDS = 8.0
# What it takes to be ready before the slot comes.
LEAD_SECONDS = 0.2
Got = TypeVar("Got")


def may_set_permissions() -> bool:
    """Whether a user's token is to be had: the real service's is not, without a log-in of its own."""
    return bool(settings.SPINE_USER_TOKEN) or not (settings.SPINE_SIGNED_JWT or settings.SPINE_BEARER_TOKEN)


def read(nhs_number: str, request_id: uuid.UUID) -> CurrentSummary | Answer:
    """What the store holds now for a patient, or the answer that says why that is not known."""
    return _ask(
        lambda client, again: client.read_current(
            nhs_number,
            request_id=str(request_id),
            correlation_id=str(request_id),
            may_begin=_always,
            again=again,
        ),
        from_settings(),
    )


def set_permission(nhs_number: str, code: str, *, session_urid: str, request_id: uuid.UUID) -> Answer:
    """Sets the permission in the name of whoever has that role profile, and says what came of it."""
    return _ask(
        lambda client, again: client.set_permission(
            nhs_number,
            code,
            request_id=str(request_id),
            correlation_id=str(request_id),
            session_urid=session_urid,
            may_begin=_always,
            again=again,
        ),
        FixedToken(settings.SPINE_USER_TOKEN or None),
    )


def _ask(call: Callable[[SpineClient, Turn], Awaitable[Got]], credentials: Credentials) -> Got | Answer:
    """One call in a slot of the rate that all processes share; one more is kept until it is answered,
    since a token that is refused is replaced and the call made again."""
    rate = Rate(settings.SPINE_REQUESTS_PER_SECOND)
    slots = rate.reserve(2, lead=LEAD_SECONDS)
    if slots is None:
        return Answer(AnswerKind.RATE_LIMITED)
    turn = slots.turn(_always)

    async def ask() -> Got | Answer:
        client = SpineClient(
            settings.SPINE_BASE_URL,
            connections=1,
            read_timeout=min(WAIT_SECONDS, settings.SPINE_READ_TIMEOUT_SECONDS),
            credentials=credentials,
        )
        async with client:
            if await turn() is None:
                return Answer(AnswerKind.NOT_SENT)
            return await call(client, turn)

    answer = asyncio.run(ask())
    rate.give_back(slots)
    if isinstance(answer, Answer):
        rate.heed([answer])
    return answer


def _always() -> bool:
    return True
