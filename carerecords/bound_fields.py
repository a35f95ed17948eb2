"""From Django's form fields to the parameters of the design system's components.

One place knows how the two fit: ids that error links reach, values kept after an error, and the
three boxes of a date.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from django import forms
from django.forms import BoundField

from carerecords.date_parts import DATE_PARTS


@dataclass(frozen=True)
class Choice:
    """One radio button, checkbox or option."""

    value: str
    text: str
    chosen: bool


@dataclass(frozen=True)
class FieldData:
    """What a macro needs to know of a form field. `focus_id` is what an error link points to."""

    name: str
    id: str
    label: str
    hint: str
    error: str
    value: str
    required: bool
    focus_id: str
    choices: list[Choice] = field(default_factory=list)
    parts: dict[str, str] = field(default_factory=dict)
    wrong_parts: frozenset[str] = frozenset()

    @property
    def hint_param(self) -> dict[str, str] | None:
        return {"text": self.hint} if self.hint else None

    @property
    def error_param(self) -> dict[str, str] | None:
        return {"text": self.error} if self.error else None

    @property
    def is_on(self) -> bool:
        """A single checkbox: ticked?"""
        return self.value in {"True", "on"}

    def options(self, hints: Mapping[str, str]) -> list[dict[str, Any]]:
        """The choices as radios, checkboxes and selects take them, with a hint by value."""
        return [
            {
                "value": choice.value,
                "text": choice.text,
                "checked": choice.chosen,
                "selected": choice.chosen,
                "hint": {"text": hints[choice.value]} if choice.value in hints else None,
            }
            for choice in self.choices
        ]

    def boxes(self) -> list[dict[str, Any]]:
        """The three boxes of a date."""
        return [
            {
                "id": f"{self.id}-{part}",
                "name": f"{self.name}_{part}",
                "label": part.capitalize(),
                "value": text,
                "width": 4 if part == "year" else 2,
                "error": part in self.wrong_parts,
            }
            for part, text in self.parts.items()
        ]


def field_data(bound: BoundField) -> FieldData:
    """The field as it should be shown now: as typed if the form was sent, else its initial value."""
    name, element = bound.html_name, bound.id_for_label or f"id_{bound.html_name}"
    value = bound.value()
    base_id = bound.auto_id or element
    parts = _parts(bound, value)
    wrong = _wrong_parts(bound) if parts else []
    return FieldData(
        name=name,
        id=base_id,
        label=str(bound.label or ""),
        hint=str(bound.help_text or ""),
        error=" ".join(str(text) for text in bound.errors),
        value="" if value is None or parts else str(bound.field.prepare_value(value)),
        required=bound.field.required,
        focus_id=f"{base_id}-{wrong[0] if wrong else 'day'}" if parts else base_id,
        choices=list(_choices(bound, value)),
        parts=parts,
        wrong_parts=frozenset(wrong),
    )


def error_list(form: forms.BaseForm) -> list[dict[str, str]]:
    """The error summary's items in the order of the page. What is wrong with the whole form comes first,
    and leads to its first field."""
    first = [{"href": f"#{field_data(bound).focus_id}"} for bound in form.visible_fields()[:1]] or [{}]
    errors = [{"text": str(text)} | first[0] for text in form.non_field_errors()]
    for bound in form:
        data = field_data(bound)
        errors += [{"text": str(text), "href": f"#{data.focus_id}"} for text in bound.errors]
    return errors


def _choices(bound: BoundField, value: Any) -> Iterator[Choice]:
    options = getattr(bound.field, "choices", None)
    if options is None:
        return
    chosen = {str(each) for each in value} if isinstance(value, list | tuple) else {str(value)}
    for option, text in options:
        if isinstance(text, list | tuple):
            continue  # groups are not used here
        key = "" if option is None else str(option)
        yield Choice(key, str(text), key in chosen and value is not None)


def _parts(bound: BoundField, value: Any) -> dict[str, str]:
    """Day, month and year for a field made of three boxes (`DatePartsField`), else nothing."""
    widget = bound.field.widget
    if not isinstance(widget, forms.MultiWidget) or len(widget.widgets) != 3:
        return {}
    texts = value if isinstance(value, list | tuple) else widget.decompress(value) or []
    shown = ["" if text is None else str(text) for text in texts]
    return dict(zip(DATE_PARTS, shown, strict=True))


def _wrong_parts(bound: BoundField) -> list[str]:
    """Which boxes of a date are at fault, in reading order; all of them if no error says."""
    if not bound.errors:
        return []
    errors = bound.form.errors.as_data()[bound.name]
    return [part for error in errors for part in (error.params or {}).get("parts", ())] or list(DATE_PARTS)
