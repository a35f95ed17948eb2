"""The figures of a run as whoever owns it may read them. Pure.

A practice reads all of its own. The programme is not told how few are alike at a practice, since those may be the
patients who refused: figures of 1 to 4 are left out, and enough others that none is worked out by subtraction
(`carerecords.small_numbers`). All others are to the nearest 5, since the programme can make two runs that
differ by those few alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from carerecords.small_numbers import SMALL, rounded, suppressed_in_column
from spine.runs.models import SendingRun
from spine.runs.progress import Part, PracticeProgress, Progress

# Words, and how many patients they are true of.
Row = tuple[Any, ...]
FEW = "fewer than 5"
UNTOLD = "not told"
COLUMNS = ("to_go", "held", "failed", "total")


def counted(run: SendingRun, number: int) -> int:
    """A number as whoever owns the run may count with it."""
    return number if run.practice_id or number in SMALL else rounded(number)


def figure(run: SendingRun, number: int) -> str:
    """A number on its own."""
    return FEW if run.practice_id is None and number in SMALL else f"{counted(run, number):,}"


def patients(run: SendingRun, number: int) -> str:
    """`1 patient`, `1,235 patients`, `fewer than 5 patients`."""
    told = figure(run, number)
    return f"{told} {'patient' if told == '1' else 'patients'}"


def done(run: SendingRun, progress: Progress) -> str:
    """How many are done, beside how many there are: neither few nor all but a few."""
    few = progress.done in SMALL or progress.to_go in SMALL
    return "some" if run.practice_id is None and few else f"{counted(run, progress.done):,}"


def cancelled(run: SendingRun, progress: Progress) -> str:
    """What a cancelled run came to: what went, what cancelling stopped, what did not go all the same."""
    if not progress.total:
        return "Cancelled. Nothing was asked for."
    if _hidden(run, progress):
        # Sums of parts would give away those that are not told.
        return f"Cancelled: {patients(run, progress.total)}."
    went, stopped, on_way = progress.number("sent"), progress.stopped, progress.to_go
    others = (
        (stopped, "stopped by cancelling it"),
        (progress.total - went - stopped - on_way, "not sent for other reasons"),
        (on_way, "still on the way"),
    )
    more = [f"{figure(run, number)} {words}" for number, words in others if number]
    first = f"{figure(run, went)} of {figure(run, progress.total)} went to the Spine"
    return f"Cancelled: {', '.join([first, *more])}."


def parts(run: SendingRun, progress: Progress) -> list[Part]:
    """The parts; for the programme those that are few, and one more where one is few, told together."""
    hidden = _hidden(run, progress)
    together = [part for part in progress.parts if part.key in hidden]
    told = _together(progress.parts, together) if together else progress.parts
    return [replace(part, number=counted(run, part.number)) for part in told]


def _together(parts: list[Part], few: list[Part]) -> list[Part]:
    """One part for those, in the place of the largest of them."""
    most = max(few, key=lambda part: part.number)
    label = " or ".join(part.label if part is few[0] else part.label.lower() for part in few)
    whole = Part(most.key, label, sum(part.number for part in few), "")
    told = [whole if part is most else part for part in parts]
    return [part for part in told if part is whole or part not in few]


def reasons(run: SendingRun, progress: Progress) -> tuple[list[Row], bool]:
    """Why patients are in their parts: without the few, and without parts that are not told themselves."""
    hidden = {part.label for part in progress.parts if part.key in _hidden(run, progress)}
    shown, few = shown_to(run, [row for row in progress.reasons if row[0] not in hidden])
    return shown, few or bool(hidden)


def _hidden(run: SendingRun, progress: Progress) -> set[str]:
    if run.practice_id is not None:
        return set()
    return suppressed_in_column({part.key: (part.number, progress.total) for part in progress.parts})


def shown_to(run: SendingRun, rows: Sequence[Row]) -> tuple[list[Row], bool]:
    """The reasons as whoever owns the run may read them, and whether any is left out."""
    shown = [(*row[:-1], counted(run, row[-1])) for row in rows if run.practice_id or row[-1] not in SMALL]
    return shown, len(shown) < len(rows)


@dataclass(frozen=True)
class PracticeTold:
    """A practice of a programme's run, in figures that may be read outside it."""

    ods_code: str
    name: str
    to_go: str
    held: str
    failed: str
    total: str


def practices(rows: Sequence[PracticeProgress]) -> list[PracticeTold]:
    """The table of practices, each column without the figures that are not told."""
    hidden = {
        name: suppressed_in_column({row.ods_code: (getattr(row, name), row.total) for row in rows})
        for name in COLUMNS
    }
    return [
        PracticeTold(
            row.ods_code,
            row.name,
            *(
                UNTOLD if row.ods_code in hidden[name] else f"{rounded(getattr(row, name)):,}"
                for name in COLUMNS
            ),
        )
        for row in rows
    ]
