"""How long whoever asks the database is willing to wait for one answer."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from django.conf import settings
from django.http import HttpRequest, HttpResponse

# None waits for as long as it takes: commands and workers, whose statements may rightly be long.
limit: ContextVar[float | None] = ContextVar("database_answer_seconds", default=None)


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Inside, an answer that takes longer closes the connection and raises `OperationalError`."""
    token = limit.set(seconds)
    try:
        yield
    finally:
        limit.reset(token)


class AnswerLimitMiddleware:
    """The outermost one: no page waits longer than `DATABASE_ANSWER_SECONDS` for one answer."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with within(settings.DATABASE_ANSWER_SECONDS):
            return self.get_response(request)
