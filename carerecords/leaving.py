"""Tells higher floors, in the same transaction, that somebody may do less from now on.

Whoever ends a role or an account calls `tell`. A floor that has to act registers when it starts: the
ground may not import it.
"""

import datetime
from collections.abc import Callable

from carerecords.models import User

Listener = Callable[[User, datetime.datetime], None]
_listeners: list[Listener] = []


def listen(listener: Listener) -> None:
    """From now on `listener(user, at)` is called inside the transaction that ends the role."""
    if listener not in _listeners:
        _listeners.append(listener)


def tell(user: User, at: datetime.datetime) -> None:
    """Somebody's role ended, or their account was turned off, at that time."""
    for listener in _listeners:
        listener(user, at)
