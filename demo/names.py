"""Names as they are met in England: by origin, by gender and by the decade of birth."""

import random
from functools import cache

from demo.chance import Lot, ranked
from demo.tables import rows


@cache
def _family_names() -> dict[str, Lot[str]]:
    return {row["origin"]: ranked(row["names"].split()) for row in rows("family-names")}


@cache
def _given_names() -> dict[tuple[str, str], list[tuple[int, Lot[str]]]]:
    """For each origin and gender, the cohorts from the latest back."""
    cohorts: dict[tuple[str, str], list[tuple[int, Lot[str]]]] = {}
    for row in rows("given-names"):
        lots = cohorts.setdefault((row["origin"], row["gender"]), [])
        lots.append((int(row["born_from"]), ranked(row["names"].split())))
    return {key: sorted(lots, key=lambda lot: lot[0], reverse=True) for key, lots in cohorts.items()}


def family_name(rng: random.Random, origin: str) -> str:
    return _family_names()[origin].draw(rng)


def given_name(rng: random.Random, origin: str, gender: str, born: int) -> str:
    """A given name of the cohort of the year of birth; `gender` is F or M."""
    lots = _given_names()[origin, gender]
    return next((lot for since, lot in lots if born >= since), lots[-1][1]).draw(rng)


def title(rng: random.Random, gender: str, age: int) -> str:
    if age < 16:
        return "Miss" if gender == "F" else "Master"
    if rng.random() < 0.01:
        return "Dr"
    if gender == "M":
        return "Mr"
    married = 0.15 if age < 30 else 0.6 if age < 60 else 0.85
    return "Mrs" if rng.random() < married else rng.choice(["Miss", "Ms"])
