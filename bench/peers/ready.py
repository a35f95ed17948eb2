"""As many bytes as the real list has, ready before anybody asks."""

import os

from django.http import HttpRequest, HttpResponse

_BYTES = b"x" * int(os.environ.get("BENCH_PAGE_BYTES", "0"))


def page(_: HttpRequest) -> HttpResponse:
    """The bytes."""
    return HttpResponse(_BYTES, headers={"Content-Length": str(len(_BYTES))})
