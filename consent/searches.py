"""What was searched for, kept in the session under a token, so that no address holds it."""

import secrets

from django.http import HttpRequest

_KEY = "searches"
# Enough for the Back button; the oldest goes first.
_KEPT = 20


def keep(request: HttpRequest, text: str) -> str:
    """Keeps what was typed; returns the token that the address carries."""
    kept = dict(request.session.get(_KEY, {}))
    known = next((token for token, before in kept.items() if before == text), None)
    if known:
        return known
    token = secrets.token_hex(6)
    recent = list(kept.items())[-(_KEPT - 1) :]
    request.session[_KEY] = dict([*recent, (token, text)])
    return token


def read(request: HttpRequest, token: str) -> str | None:
    """What was typed, or None when the session that kept it has ended."""
    found = request.session.get(_KEY, {}).get(token)
    return found if isinstance(found, str) else None
