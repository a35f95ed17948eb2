"""The form of a new run: what is asked for, for whom, and when it may be sent."""

import datetime
from collections.abc import Sequence
from typing import Any, cast

from django import forms
from django.db.models import QuerySet

from boycott.change_forms import CodesField
from boycott.scopes import regions
from carerecords.clock_times import ClockField
from carerecords.models import Practice
from spine.runs.codes import OF_PRACTICE_ONLY, RunGroup, RunKind
from spine.runs.hours import MIDNIGHT, SendingHours, When
from spine.runs.listed import filter_of

# Nights as practices' bulk uploads have always been run: after the last surgery, before the first.
EVENING, MORNING = datetime.time(19), datetime.time(7)
FIRST_ANSWERS = {"group": RunGroup.ALL, "hours": When.ANY, "opens": EVENING, "closes": MORNING}
LONGEST_AGE = 3650
JOINED, REGION, CODES = "JOINED", "REGION", "CODES"


def _radios(label: str, choices: Sequence[tuple[str, str]], missing: str, **more: Any) -> forms.ChoiceField:
    return forms.ChoiceField(
        label=label,
        choices=choices,
        widget=forms.RadioSelect,
        error_messages={"required": missing, "invalid_choice": missing},
        **more,
    )


class RunForm(forms.Form):
    """A practice's own run."""

    kind = _radios("What should the run do?", RunKind.choices(), "Select what the run should do")
    older_than_days = forms.IntegerField(
        label="For an update: only copies older than so many days (optional)",
        help_text="For example, 30. Leave it empty to update every copy.",
        required=False,
        min_value=1,
        max_value=LONGEST_AGE,
        error_messages={
            "invalid": "Number of days must be a whole number, like 30",
            "min_value": "Number of days must be 1 or more",
            "max_value": f"Number of days must be {LONGEST_AGE:,} or less",
        },
    )
    group = _radios("For which patients?", RunGroup.choices(), "Select for which patients")
    list_filter = forms.CharField(required=False, max_length=300, widget=forms.HiddenInput)
    hours = _radios("When may it send?", When.choices(), "Select when it may send")
    opens = ClockField(label="Start of sending", help_text="For example, 7pm", required=False)
    closes = ClockField(
        label="End of sending", help_text="For example, 7am. It may be the next day.", required=False
    )

    def __init__(self, *args: Any, practice: Practice | None, listed: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **{"initial": FIRST_ANSWERS | {"list_filter": listed}} | kwargs)
        self.practice = practice

    def practices(self) -> QuerySet[Practice]:
        """Those that a valid form is about."""
        assert self.practice is not None
        return Practice.objects.filter(pk=self.practice.pk)

    def clean_kind(self) -> RunKind:
        return RunKind(self.cleaned_data["kind"])

    def clean_list_filter(self) -> str:
        return filter_of(self.cleaned_data["list_filter"]) if self.practice else ""

    def clean_group(self) -> RunGroup:
        return RunGroup(self.cleaned_data["group"])

    def clean(self) -> dict[str, Any]:
        values = super().clean() or self.cleaned_data
        if values.get("kind") == RunKind.LEAVERS and values.get("list_filter"):
            self.add_error(
                "kind", "Patients who have left are not in the list. Make a run without its filters"
            )
        kind = values.get("kind")
        if kind and kind != RunKind.UPDATE and values.get("older_than_days") is not None:
            self.add_error(
                "older_than_days", "Leave the number of days empty: only an update goes by how old copies are"
            )
        if values.get("hours") == When.ANY:
            # Left over from another choice; they stay in their fields, in case that is chosen again.
            for name in ("opens", "closes"):
                self.errors.pop(name, None)
        if values.get("hours") in {When.EVERY_DAY, When.WEEKENDS_TOO}:
            for name, words in (("opens", "begins"), ("closes", "ends")):
                if values.get(name) is None and name not in self.errors:
                    self.add_error(name, f"Enter the time at which sending {words}")
            if values.get("opens") is not None and values.get("opens") == values.get("closes"):
                self.add_error("closes", "The two times must differ. To send at all times, select that")
        return values

    @property
    def asked(self) -> dict[str, Any]:
        """What a valid form asks for, as `spine.runs.actions.make` takes it."""
        values = self.cleaned_data
        when = When(values["hours"])
        between = (MIDNIGHT, MIDNIGHT) if when is When.ANY else (values["opens"], values["closes"])
        return {
            "kind": values["kind"],
            "group": values["group"],
            "list_filter": values["list_filter"],
            "older_than_days": values["older_than_days"],
            "hours": SendingHours(when, *between),
        }


class NationalRunForm(RunForm):
    """The programme's run, for many practices."""

    where = _radios(
        "For which practices?",
        [
            (JOINED, "All that have joined"),
            (REGION, "Those of one region that have joined"),
            (CODES, "Those that I name"),
        ],
        "Select for which practices",
    )
    ods_codes = CodesField(label="Practices, if you name them", help_text="ODS codes, like J81012 L81001")

    def __init__(self, *args: Any, today: datetime.date, **kwargs: Any) -> None:
        super().__init__(*args, practice=None, **kwargs)
        self.today = today
        kinds = [(kind.value, kind.label) for kind in RunKind if kind not in OF_PRACTICE_ONLY]
        cast(forms.ChoiceField, self.fields["kind"]).choices = kinds
        self.fields["region"] = forms.ChoiceField(
            label="Region, if of one",
            required=False,
            choices=[("", "Select a region"), *regions()],
            error_messages={"invalid_choice": "Select a region"},
        )
        self.order_fields(["where", "region", "ods_codes"])

    def clean(self) -> dict[str, Any]:
        values = super().clean()
        if values.get("where") == REGION and not values.get("region") and "region" not in self.errors:
            self.add_error("region", "Select a region")
        if values.get("where") == CODES:
            self._check_codes(values.get("ods_codes") or frozenset())
        return values

    def practices(self) -> QuerySet[Practice]:
        values = self.cleaned_data
        if values["where"] == CODES:
            return Practice.objects.filter(ods_code__in=values["ods_codes"])
        joined = Practice.objects.filter(status=Practice.Status.ACTIVE, goes_live_on__lte=self.today)
        return joined.filter(region_code=values["region"]) if values["where"] == REGION else joined

    def _check_codes(self, codes: frozenset[str]) -> None:
        if not codes:
            self.add_error("ods_codes", "Enter at least one practice")
            return
        known = Practice.objects.filter(ods_code__in=codes).values_list("ods_code", flat=True)
        if unknown := sorted(codes - set(known)):
            self.add_error("ods_codes", f"There is no practice {', '.join(unknown[:10])}")
