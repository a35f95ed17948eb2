"""What a change does in each practice, as rows of a spreadsheet."""

from collections.abc import Iterable, Iterator, Sequence

from spine.policy.impact import PracticeEffect

HEADINGS = (
    "ODS code",
    "Practice",
    "Region",
    "Answer",
    "Patients with consent",
    "Uploads stop",
    "Uploads start",
    "Uploads shrink to the core",
    "Uploads gain additional information",
    "Waiting uploads held",
    "Held uploads released",
    "Uploads being sent",
    "Summaries on the Spine that go out of date",
)


def practice_rows(practices: Iterable[PracticeEffect]) -> Iterator[Sequence[object]]:
    """The headings, then a row for each practice, in their order."""
    yield HEADINGS
    for one in practices:
        home, effect = one.practice, one.effect
        yield (
            home.place.ods_code,
            home.name,
            home.region_name,
            home.answer.label if home.answer else "No answer",
            effect.patients,
            effect.stop,
            effect.start,
            effect.shrink,
            effect.widen,
            effect.held,
            effect.released,
            effect.in_flight,
            effect.copies,
        )
