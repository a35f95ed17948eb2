"""Enumerations with words: a stored code, and what people read. Pure, unlike Django's choices."""

from enum import StrEnum
from typing import Self


class Term(StrEnum):
    """A member is its stored code; `label` is what people read."""

    label: str

    def __new__(cls, code: str, label: str = "") -> Self:
        # The default is for type checkers, to whom looking a member up by its code is this call.
        if not label:
            raise TypeError(f"{cls.__name__} needs words for {code!r}")
        member = str.__new__(cls, code)
        member._value_ = code
        member.label = label
        return member

    @classmethod
    def choices(cls) -> list[tuple[str, str]]:
        """Pairs for a model field or a form."""
        return [(member.value, member.label) for member in cls]
