"""Views whose answers must survive the end of a session say here how they keep them.

The check for an idle session stands before every view, and finds a form that was sent too late. What
the view would have read is then kept for its user, and shown on the same page after the next log-in.
"""

from collections.abc import Callable
from typing import Any, TypeVar

View = TypeVar("View", bound=Callable[..., Any])


# Keeps what a request posted to an address with these parameters; True if there was anything.
Keep = Callable[..., bool]


def keeps_answers(keep: Keep) -> Callable[[View], View]:
    """Marks a view with what to do with answers that come after the session's end."""

    def mark(view: View) -> View:
        view.keep_answers = keep  # type: ignore[attr-defined]
        return view

    return mark


def keeper_of(view: Callable[..., Any]) -> Keep | None:
    """How the view keeps answers, if it does."""
    return getattr(view, "keep_answers", None)
