"""Made-up streets in the practice's own town, each with one postcode of its outward code."""

import random
from dataclasses import dataclass

from demo.tables import rows

STREETS_A_PRACTICE = 160
# Royal Mail uses neither C, I, K, M, O nor V in the last two letters of a postcode.
LETTERS = "ABDEFGHJLNPQRSTUWXYZ"


@dataclass(frozen=True)
class Street:
    """One street; its houses share the postcode."""

    name: str
    postcode: str
    houses: int


def streets(rng: random.Random, town: str, practice_postcode: str) -> list[Street]:
    """The streets that a practice's patients live in."""
    words = {row["part"]: row["words"].split() for row in rows("streets")}
    names = [f"{first} {second}" for first in words["first"] for second in words["second"]]
    outward = practice_postcode.split()[0]
    return [
        Street(
            name=f"{name}, {town}",
            postcode=f"{outward} {rng.randint(0, 9)}{rng.choice(LETTERS)}{rng.choice(LETTERS)}",
            houses=rng.randint(12, 140),
        )
        for name in rng.sample(names, STREETS_A_PRACTICE)
    ]
