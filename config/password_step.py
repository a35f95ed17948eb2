"""The step that asks for the password again: whoever comes back from it reads that nothing was done yet.

A press that needs a fresh proof of the person (docs/adr/0064-fresh-proof-of-the-person.md) leads to that
step, and from there to the form it was made on. Without a word it would look as if it had been done.
Every such form is answered here, by where its press led, so that no view can forget it.
"""

from collections.abc import Callable
from urllib.parse import urlsplit

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from carerecords import flash

NOTHING_DONE = "Nothing has been done yet. Check this page and press the button again."
# In the session: the page whose press led to the step.
PRESSED = "pressed_before_password"


class PasswordStepMiddleware:
    """Stands after messages. Costs nothing but at a form that answers by leading elsewhere."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if request.method == "POST" and isinstance(response, HttpResponseRedirect):
            _led(request, urlsplit(response.url).path)
        return response


def _led(request: HttpRequest, to: str) -> None:
    """Notes a press that led to the step; tells of it once the step leads back to its page."""
    steps = {reverse("account_reauthenticate"), reverse("mfa_reauthenticate")}
    if request.path not in steps:
        if to in steps:
            request.session[PRESSED] = request.path
    elif to not in steps and request.session.pop(PRESSED, None) == to:
        flash.notice(request, NOTHING_DONE)
