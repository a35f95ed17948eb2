"""A date typed in three boxes, with the error texts of the GOV.UK design system's date input."""

import datetime
from collections.abc import Sequence
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from carerecords.formats import nhs_date

DATE_PARTS = ("day", "month", "year")


class DatePartsWidget(forms.MultiWidget):
    """Three text boxes called `<name>_day`, `<name>_month` and `<name>_year`."""

    def __init__(self) -> None:
        super().__init__({part: forms.TextInput() for part in DATE_PARTS})

    def decompress(self, value: datetime.date | None) -> list[int | None]:
        return [value.day, value.month, value.year] if value else [None, None, None]


class DatePartsField(forms.MultiValueField):
    """Cleans to a date. `earliest` and `latest` are given by the form, which knows what day it is.

    Errors name the field by its label ("Date of decision must include a month") and carry the
    boxes at fault, so that the first of them gets the focus.
    """

    def __init__(
        self,
        *,
        label: str,
        earliest: datetime.date | None = None,
        latest: datetime.date | None = None,
        latest_text: str = "today or in the past",
        **kwargs: Any,
    ) -> None:
        self.earliest, self.latest, self.latest_text = earliest, latest, latest_text
        fields = [forms.CharField(required=False) for _ in DATE_PARTS]
        super().__init__(fields, label=label, widget=DatePartsWidget(), require_all_fields=False, **kwargs)

    def clean(self, value: Sequence[str | None] | datetime.date | None) -> datetime.date | None:
        if isinstance(value, datetime.date):
            return self._in_range(value)
        texts = [(text or "").strip() for text in value or ["", "", ""]]
        if not any(texts):
            if self.required:
                raise self._error(f"Enter the {str(self.label)[:1].lower()}{str(self.label)[1:]}")
            return None
        missing = [part for part, text in zip(DATE_PARTS, texts, strict=True) if not text]
        if missing:
            raise self._error(f"{self.label} must include a {' and '.join(missing)}", missing)
        return self._in_range(self._real_date(texts))

    def _real_date(self, texts: Sequence[str]) -> datetime.date:
        if not all(text.isascii() and text.isdigit() for text in texts):
            raise self._error(f"{self.label} must be a real date")
        if len(texts[2]) != 4:
            raise self._error("Year must include 4 numbers", ["year"])
        try:
            return datetime.date(int(texts[2]), int(texts[1]), int(texts[0]))
        except ValueError:
            raise self._error(f"{self.label} must be a real date") from None

    def _in_range(self, day: datetime.date) -> datetime.date:
        if self.latest and day > self.latest:
            raise self._error(f"{self.label} must be {self.latest_text}")
        if self.earliest and day < self.earliest:
            raise self._error(f"{self.label} must be the same as or after {nhs_date(self.earliest)}")
        return day

    @staticmethod
    def _error(text: str, parts: Sequence[str] = ()) -> ValidationError:
        return ValidationError(text, params={"parts": parts})
