"""Forms of surveys and ballots, with the error texts of the screens design."""

import datetime
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.utils import timezone

from boycott.forms import Prose
from boycott.models import MotionRevision, RollEntry, SurveyOption
from boycott.surveys.running import Content
from boycott.surveys.vocabulary import Kind, Meaning
from carerecords.date_parts import DatePartsField
from carerecords.formats import nhs_time
from carerecords.identifiers import BadOdsCode, parse_ods_code
from carerecords.models import Practice

MOST_OPTIONS = 5
NO_MOTION = ""
HOURS = [(f"{hour:02}", nhs_time(datetime.time(hour))) for hour in range(24)]
SELECT_AN_ANSWER = {"required": "Select an answer", "invalid_choice": "Select an answer"}


class AnswerForm(forms.Form):
    """One of the options, none chosen beforehand but a GP's own earlier answer; a comment in surveys."""

    option = forms.ChoiceField(widget=forms.RadioSelect, error_messages=SELECT_AN_ANSWER)
    comment = Prose(
        label="Comment (optional)",
        help_text="Shown to the BMA without your name. Leave out names and anything about patients.",
        max_length=1000,
        required=False,
        error_messages={"max_length": "Comment must be 1,000 characters or less"},
    )

    def __init__(
        self, *args: Any, question: str, options: Sequence[SurveyOption], entry: RollEntry, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        if entry.survey.is_secret:
            del self.fields["comment"]
        field = self.fields["option"]
        assert isinstance(field, forms.ChoiceField)
        field.label = question
        self._options = {str(option.position): option for option in options}
        choices = [(place, option.label) for place, option in self._options.items()]
        field.choices = choices[::-1] if entry.reversed_options else choices

    @property
    def chosen(self) -> SurveyOption:
        """The option, of a form that is valid."""
        return self._options[self.cleaned_data["option"]]


class ClosingForm(forms.Form):
    """Why it ends before its time."""

    reason = Prose(
        label="Why does it close before its time?",
        help_text="20 to 1,000 characters. It stands beside the results.",
        min_length=20,
        max_length=1000,
        error_messages={
            "required": "Enter why it closes before its time",
            "min_length": "Reason must be between 20 and 1,000 characters",
            "max_length": "Reason must be between 20 and 1,000 characters",
        },
    )


class SurveyForm(forms.Form):
    """What is asked, of whom, and until when."""

    kind = forms.ChoiceField(
        label="How are answers kept?",
        choices=Kind.choices(),
        widget=forms.RadioSelect,
        error_messages={
            "required": "Select how answers are kept",
            "invalid_choice": "Select how answers are kept",
        },
    )
    title = forms.CharField(
        label="Title",
        max_length=100,
        error_messages={
            "required": "Enter a title",
            "max_length": "Title must be 100 characters or less",
        },
    )
    question = forms.CharField(
        label="Question",
        max_length=300,
        error_messages={
            "required": "Enter the question",
            "max_length": "Question must be 300 characters or less",
        },
    )
    explanation = Prose(
        label="Explanation (optional)",
        help_text="What a GP needs to know before answering, for both sides of the question.",
        max_length=3000,
        required=False,
        error_messages={"max_length": "Explanation must be 3,000 characters or less"},
    )
    motion = forms.ChoiceField(label="The motion it is about", required=False)
    opens_hour = forms.ChoiceField(label="Opening time", choices=HOURS, required=False)
    closes_hour = forms.ChoiceField(label="Closing time", choices=HOURS, initial="17")
    region_codes = forms.MultipleChoiceField(
        label="Regions", widget=forms.CheckboxSelectMultiple, required=False
    )
    ods_codes = Prose(
        label="Practices (optional)",
        help_text="ODS codes, one on each line. With neither regions nor practices every GP of England is asked.",
        max_length=2000,
        required=False,
        error_messages={"max_length": "Practices must be 2,000 characters or less"},
    )

    def __init__(
        self,
        *args: Any,
        now: datetime.datetime,
        regions: Mapping[str, str],
        motions: Sequence[MotionRevision],
        fixed_kind: bool,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self._now = now
        today = timezone.localdate(now)
        if fixed_kind:
            del self.fields["kind"]
        for place in range(1, MOST_OPTIONS + 1):
            self.fields[f"option_{place}"] = forms.CharField(
                label=f"Option {place}",
                max_length=100,
                required=place <= 2,
                error_messages={
                    "required": f"Enter option {place}",
                    "max_length": f"Option {place} must be 100 characters or less",
                },
            )
            self.fields[f"meaning_{place}"] = forms.ChoiceField(
                label=f"What option {place} says of BMA policy",
                choices=Meaning.choices(),
                initial=Meaning.NEITHER.value,
                required=False,
            )
        self.fields["opens_on"] = DatePartsField(label="Opening date", earliest=today, required=False)
        self.fields["closes_on"] = DatePartsField(label="Closing date", earliest=today)
        self._choose("region_codes", list(regions.items()))
        self._choose("motion", [(NO_MOTION, "None"), *((str(one.motion), one.title) for one in motions)])
        self.order_fields(
            [
                *("kind", "title", "question", "explanation"),
                *(f"{what}_{n}" for n in range(1, MOST_OPTIONS + 1) for what in ("option", "meaning")),
                *("motion", "opens_on", "opens_hour", "closes_on", "closes_hour"),
                *("region_codes", "ods_codes"),
            ]
        )

    def _choose(self, name: str, choices: list[tuple[str, str]]) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)
        field.choices = choices

    @property
    def option_fields(self) -> list[tuple[Any, Any]]:
        """Label and meaning of each option, as the page draws them."""
        return [(self[f"option_{n}"], self[f"meaning_{n}"]) for n in range(1, MOST_OPTIONS + 1)]

    def clean_ods_codes(self) -> list[str]:
        codes = []
        for line in self.cleaned_data["ods_codes"].split():
            try:
                codes.append(parse_ods_code(line))
            except BadOdsCode:
                raise forms.ValidationError(f"{line} is not a practice code, for example A81001") from None
        known = set(Practice.objects.filter(ods_code__in=codes).values_list("ods_code", flat=True))
        if unknown := sorted(set(codes) - known):
            raise forms.ValidationError(f"There is no practice {', '.join(unknown)}")
        return sorted(set(codes))

    def clean(self) -> dict[str, Any]:
        values = super().clean() or self.cleaned_data
        labels = [label.casefold() for label, _ in self._options()]
        for place, label in enumerate(labels):
            if label in labels[:place]:
                self.add_error(f"option_{place + 1}", "Each option must be different")
        closes, opens = self._moment("closes"), self._moment("opens")
        if closes and closes <= self._now:
            self.add_error("closes_on", "Closing time must be in the future")
        elif closes and opens and closes <= opens:
            self.add_error("closes_on", "Closing time must be after the opening time")
        return values

    @property
    def content(self) -> Content:
        """What was asked for, of a form that is valid."""
        values = self.cleaned_data
        closes_at = self._moment("closes")
        assert closes_at is not None
        return Content(
            title=values["title"],
            question=values["question"],
            explanation=values["explanation"],
            options=self._options(),
            motion=uuid.UUID(values["motion"]) if values["motion"] else None,
            opens_at=self._moment("opens"),
            closes_at=closes_at,
            region_codes=values["region_codes"],
            ods_codes=values["ods_codes"],
        )

    def _options(self) -> list[tuple[str, Meaning]]:
        """Those that were filled in."""
        values = self.cleaned_data
        return [
            (values[f"option_{n}"].strip(), Meaning(values.get(f"meaning_{n}") or Meaning.NEITHER))
            for n in range(1, MOST_OPTIONS + 1)
            if values.get(f"option_{n}")
        ]

    def _moment(self, which: str) -> datetime.datetime | None:
        """Day and hour on the clocks of England; None where no day was given."""
        day, hour = self.cleaned_data.get(f"{which}_on"), self.cleaned_data.get(f"{which}_hour")
        if not day:
            return None
        return timezone.make_aware(datetime.datetime.combine(day, datetime.time(int(hour or 0))))
