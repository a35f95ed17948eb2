"""The three practices of the demo: real ones, of three sizes, in three regions.

Each lies where summaries were first sent in 2007 (Dorset, Bolton and Bradford were early
adopters). Their list sizes are the true ones and sum to 24,813; their patients, staff and every
decision are made up, and say nothing about the real practice.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Place:
    """One practice, and what its made-up patients and decisions are like."""

    ods_code: str
    town: str
    county: str
    # Shares of the list by the origin of names, per cent.
    origins: dict[str, int]
    gps: int
    receptionists: int
    # Shares of the list by present decision. Nationally about 1.2% dissent, 0.2% to 20% by practice.
    dissent: float
    core: float
    additional: float
    letter_weeks_ago: int


PLACES = [
    Place(
        ods_code="J81002",
        town="Wimborne",
        county="Dorset",
        origins={"british": 93, "european": 4, "south_asian": 1, "african_caribbean": 1, "east_asian": 1},
        gps=5,
        receptionists=4,
        dissent=0.014,
        core=0.23,
        additional=0.10,
        letter_weeks_ago=20,
    ),
    Place(
        ods_code="P82016",
        town="Bolton",
        county="Greater Manchester",
        origins={"british": 76, "south_asian": 16, "european": 4, "african_caribbean": 3, "east_asian": 1},
        gps=6,
        receptionists=5,
        dissent=0.004,
        core=0.22,
        additional=0.09,
        letter_weeks_ago=15,
    ),
    Place(
        ods_code="B83032",
        town="Bradford",
        county="West Yorkshire",
        origins={"south_asian": 66, "british": 22, "european": 7, "african_caribbean": 4, "east_asian": 1},
        gps=2,
        receptionists=2,
        dissent=0.03,
        core=0.20,
        additional=0.07,
        letter_weeks_ago=9,
    ),
]
