"""A time of day as people type it: 6am, 6:30pm, midday, 18:00. Pure but for the form field."""

import datetime
import re
from typing import Any

from django import forms

from carerecords.formats import nhs_time

_TYPED = re.compile(r"(?P<hour>\d{1,2})(?:[:.](?P<minute>\d{2}))?\s*(?P<half>[ap]\.?m\.?)?", re.IGNORECASE)
_WORDS = {"midday": datetime.time(12), "noon": datetime.time(12), "midnight": datetime.time(0)}


def parse_time(text: str) -> datetime.time:
    """The time that was meant. Raises `ValueError` for what is none, such as `25:00` or `13pm`.

    Without am or pm the clock has 24 hours, and minutes must be given: `6` alone could be either.
    """
    text = text.strip().lower()
    if text in _WORDS:
        return _WORDS[text]
    found = _TYPED.fullmatch(text)
    if found is None:
        raise ValueError(text)
    hour, minute, half = int(found["hour"]), int(found["minute"] or 0), found["half"]
    if half is None:
        if found["minute"] is None:
            raise ValueError(text)
        return datetime.time(hour, minute)
    if not 1 <= hour <= 12:
        raise ValueError(text)
    return datetime.time(hour % 12 + (12 if half[0] == "p" else 0), minute)


class ClockField(forms.CharField):
    """Cleans to a time, or to None if nothing was typed and nothing is needed."""

    def __init__(self, *, label: str, **kwargs: Any) -> None:
        super().__init__(label=label, max_length=10, **kwargs)

    def to_python(self, value: Any) -> Any:
        if isinstance(value, datetime.time):
            return value
        text = super().to_python(value)
        if not text:
            return None
        try:
            return parse_time(text)
        except ValueError:
            raise forms.ValidationError(f"{self.label} must be a time, like 6am or 6:30pm") from None

    def run_validators(self, value: Any) -> None:
        """The length was for the text; a time has been read from it."""

    def prepare_value(self, value: Any) -> Any:
        return nhs_time(value) if isinstance(value, datetime.time) else value
