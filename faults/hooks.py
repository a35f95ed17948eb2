"""Points of a batch at which a sender dies or freezes, found by the names of the product's own functions.

The product knows nothing of this: its functions are wrapped in the process that shall die. A name that has
gone is an error here, never a point that is silently not reached.
"""

import importlib
from collections.abc import Callable
from functools import wraps
from typing import Any

Act = Callable[[], None]
# Where it happens: in what holds the function, which function, and whether a result counts as passing.
_BATCHES = {
    "after the claim": ("spine.sending.pipeline", "claim", bool),
    "after the intent": ("spine.sending.pipeline", "_decide_and_commit", lambda batch: bool(batch.going)),
    "after the answers": ("spine.sending.store:Store", "send", bool),
    "in the receipts' transaction": ("spine.sending.proof", "write_receipts", lambda _: True),
}
BYTES = "after the bytes"
BEFORE = "before the bytes"
POINTS = ("after the claim", "after the intent", BYTES, "after the answers", "in the receipts' transaction")


def _place(where: str) -> Any:
    module, _, name = where.partition(":")
    found = importlib.import_module(module)
    return getattr(found, name) if name else found


def wrap(where: str, name: str, made: Callable[[Any], Any]) -> None:
    """Replaces a function by what is made of it; raises `LookupError` when there is none of that name."""
    place = _place(where)
    if not hasattr(place, name):
        raise LookupError(f"{where} has no {name} any more: faults.hooks must follow the product")
    setattr(place, name, made(getattr(place, name)))


def change(place: Any, name: str, value: object) -> None:
    """Gives a constant of a module another value; raises `LookupError` when there is none of that name."""
    wrap(place.__name__, name, lambda _: value)


def at(point: str, act: Act, *, nth: int = 1) -> None:
    """Calls `act` when that point is passed for the nth time."""
    left = [nth]

    def passed() -> None:
        left[0] -= 1
        if left[0] == 0:
            act()

    if point in (BYTES, BEFORE):
        _at_bytes(passed, before=point == BEFORE)
        return
    where, name, counts = _BATCHES[point]

    def passing(function: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(function)
        def then(*args: Any, **kwargs: Any) -> Any:
            result = function(*args, **kwargs)
            if counts(result):
                passed()
            return result

        return then

    wrap(where, name, passing)


def _at_bytes(passed: Act, *, before: bool) -> None:
    """A message's bytes are with the kernel, or would be next; questions do not count."""

    def passing(function: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(function)
        async def then(request: Any, connection: Any) -> Any:
            is_message = request.method == "POST"
            if is_message and before:
                passed()
            answer = await function(request, connection)
            if is_message and not before:
                passed()
            return answer

        return then

    wrap("spine.sending.client:_TimedRequest", "send", passing)
