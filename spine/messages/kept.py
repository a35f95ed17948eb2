"""Texts about things that many messages share: an author, a practice. Pure."""

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

About = TypeVar("About")


def kept(words: Callable[[About], str]) -> Callable[[About], str]:
    """Keeps what a function says of a thing with the thing itself, which never changes and has fields.

    A batch has a few authors and practices in hundreds of messages. `lru_cache` would compare all their
    fields each time, which takes as long as the words.
    """
    name = f"{words.__module__}.{words.__qualname__}"

    @wraps(words)
    def of(thing: About) -> str:
        about: dict[str, Any] = vars(thing)
        said: str | None = about.get(name)
        if said is None:
            said = about[name] = words(thing)
        return said

    return of
