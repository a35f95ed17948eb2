"""From answers counted by region and option to what may be shown of them. Pure.

Fewer than ten answers are not shown: not in all, and not of a region. Nor is a region whose answers
could be had by subtraction: the regions not shown are at least two, and have ten answers together.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from boycott.surveys.wilson import Interval, wilson

FEWEST = 10


@dataclass(frozen=True)
class Share:
    """How many chose one option, of how many, and the 95% interval for all GPs."""

    count: int
    of: int
    interval: Interval

    @classmethod
    def of_answers(cls, count: int, of: int) -> "Share":
        return cls(count, of, wilson(count, of))


@dataclass(frozen=True)
class RegionTally:
    """One region. `shares` by option; None where they are not shown."""

    region_code: str
    invited: int
    answers: int | None
    shares: tuple[Share, ...] | None


@dataclass(frozen=True)
class Tally:
    """All of it. `shares` by option, in the order of the options; None with fewer than ten answers."""

    invited: int
    answers: int
    shares: tuple[Share, ...] | None
    regions: tuple[RegionTally, ...]


def tally(
    invited: Mapping[str, int], answers: Mapping[tuple[str, int], int], options: Sequence[int]
) -> Tally:
    """`invited` by region code; `answers` by region code and option.

    Answers of the region "" were taken from theirs when a ballot was counted, by the same rule.
    """
    by_region: dict[str, int] = {}
    for (region, _), count in answers.items():
        by_region[region] = by_region.get(region, 0) + count
    total = sum(by_region.values())
    hidden = _hidden(by_region, invited)
    shown = _shares(answers, options, None, total) if total >= FEWEST else None
    return Tally(
        invited=sum(invited.values()),
        answers=total,
        shares=shown,
        regions=tuple(
            _region(region, count, by_region.get(region, 0), region in hidden, answers, options)
            for region, count in sorted(invited.items())
        ),
    )


def _hidden(answers: Mapping[str, int], invited: Mapping[str, int]) -> set[str]:
    if "" in answers:
        return set(invited) - set(answers)
    return hidden_regions(answers)


def hidden_regions(answers: Mapping[str, int]) -> set[str]:
    """The regions of which nothing may be shown, given how many answered in each."""
    if sum(answers.values()) < FEWEST:
        return set(answers)
    hidden = {region for region, count in answers.items() if 0 < count < FEWEST}
    while hidden and (len(hidden) == 1 or sum(answers[region] for region in hidden) < FEWEST):
        left = [region for region, count in answers.items() if count and region not in hidden]
        if not left:
            break
        hidden.add(min(left, key=lambda region: (answers[region], region)))
    return hidden


def _region(
    region: str,
    invited: int,
    count: int,
    hidden: bool,
    answers: Mapping[tuple[str, int], int],
    options: Sequence[int],
) -> RegionTally:
    if hidden:
        return RegionTally(region, invited, None, None)
    return RegionTally(region, invited, count, _shares(answers, options, region, count) if count else None)


def _shares(
    answers: Mapping[tuple[str, int], int], options: Sequence[int], region: str | None, total: int
) -> tuple[Share, ...]:
    def count(option: int) -> int:
        return sum(
            number for (where, what), number in answers.items() if what == option and region in (None, where)
        )

    return tuple(Share.of_answers(count(option), total) for option in options)
