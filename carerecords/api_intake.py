"""How a program comes in: the token it shows and the body it sends."""

from typing import Any

from rest_framework.authentication import TokenAuthentication
from rest_framework.exceptions import AuthenticationFailed, ParseError, Throttled
from rest_framework.parsers import JSONParser
from rest_framework.request import Request
from rest_framework.throttling import SimpleRateThrottle

TOO_DEEP = "The body is nested too deeply."


class WrongTokens(SimpleRateThrottle):
    """Counts wrong tokens for each network address and web process."""

    rate = "30/min"

    def get_cache_key(self, request: Request, view: Any) -> str:
        return f"wrong-tokens:{request.META.get('REMOTE_ADDR', '')}"


class CountedTokens(TokenAuthentication):
    """After too many wrong tokens a network address is told to wait instead of "wrong token".

    A right one still opens: it has 160 random bits, so nobody guesses it by trying often, and
    behind one address stands a whole practice, or a proxy with all of them.
    """

    def authenticate(self, request: Request) -> tuple[Any, Any] | None:
        try:
            return super().authenticate(request)
        except AuthenticationFailed:
            count = WrongTokens()
            if count.allow_request(request, None):  # type: ignore[arg-type]
                raise
            raise Throttled(count.wait()) from None

    def authenticate_credentials(self, key: str) -> tuple[Any, Any]:
        if "\x00" in key:  # PostgreSQL would refuse the question
            raise AuthenticationFailed
        return super().authenticate_credentials(key)


class BodyParser(JSONParser):
    """JSON; nesting that no reader survives is the sender's error, not a fault of ours."""

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        try:
            return super().parse(stream, media_type, parser_context)
        except RecursionError:
            raise ParseError(TOO_DEEP) from None
