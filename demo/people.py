"""Made-up patients of one practice, household by household. Pure: seed and day are passed in."""

import datetime
import random
from collections.abc import Iterator
from dataclasses import dataclass

from carerecords.identifiers import check_digit
from demo import names
from demo.addresses import Street, streets
from demo.chance import Lot, a_day
from demo.places import Place
from demo.tables import rows

# Odd and no multiple of five, so that stepping by it visits every six-digit number once.
STRIDE = 387_421
HOUSEHOLD_LIMIT = 5
# Newest registrations are this old, so that a decision can follow them.
NEWEST_REGISTRATION = datetime.timedelta(days=10)


@dataclass(frozen=True)
class Person:
    """One patient as they stand on the day of loading."""

    nhs_number: str
    title: str
    given_name: str
    family_name: str
    born_on: datetime.date
    gender: str
    address: str
    postcode: str
    identity: str
    is_sensitive: bool
    registered_on: datetime.date
    left_on: datetime.date | None
    died_on: datetime.date | None
    letter_sent_on: datetime.date | None
    # Which of the practice's GPs is theirs.
    gp: int
    age: int

    @property
    def gone_on(self) -> datetime.date | None:
        return self.died_on or self.left_on


@dataclass
class _Household:
    origin: str
    family_name: str
    address: str
    postcode: str
    members: int = 0


def nhs_numbers() -> Iterator[str]:
    """Every valid number of the test range 999, once each, in no visible order."""
    for step in range(1_000_000):
        nine = f"999{step * STRIDE % 1_000_000:06}"
        digit = check_digit(nine)
        if digit is not None:
            yield f"{nine}{digit}"


def people_of(
    place: Place,
    postcode: str,
    count: int,
    *,
    rng: random.Random,
    today: datetime.date,
    numbers: Iterator[str],
) -> list[Person]:
    """`count` patients of a practice, whose ages follow England's."""
    ages = _age_lot()
    origins = Lot(list(place.origins), list(place.origins.values()))
    roads = streets(rng, place.town, postcode)
    home: _Household | None = None
    people = []
    for number in numbers:
        age, female_share = _an_age(rng, ages)
        if home is None or home.members == HOUSEHOLD_LIMIT or (age >= 18 and rng.random() < 0.55):
            home = _household(rng, origins.draw(rng), roads)
        home.members += 1
        people.append(_person(place, number, age, female_share, home, rng, today))
        if len(people) == count:
            break
    return people


def _age_lot() -> Lot[dict[str, str]]:
    """Five-year bands of the usual residents of England, Census 2021, rounded."""
    bands = rows("ages")
    return Lot(bands, [float(band["per_thousand"]) for band in bands])


def _an_age(rng: random.Random, lot: Lot[dict[str, str]]) -> tuple[int, float]:
    band = lot.draw(rng)
    return rng.randint(int(band["from_age"]), int(band["to_age"])), float(band["female_share"])


def _household(rng: random.Random, origin: str, roads: list[Street]) -> _Household:
    street = rng.choice(roads)
    return _Household(
        origin=origin,
        family_name=names.family_name(rng, origin),
        address=f"{rng.randint(1, street.houses)} {street.name}",
        postcode=street.postcode,
    )


def _person(
    place: Place,
    number: str,
    age: int,
    female_share: float,
    home: _Household,
    rng: random.Random,
    today: datetime.date,
) -> Person:
    sex = "F" if rng.random() < female_share else "M"
    born = today - datetime.timedelta(days=1 + int((age + rng.random() * 0.99) * 365.25))
    stay = datetime.timedelta(days=int(rng.expovariate(1 / (9 * 365))))
    registered = max(born, today - NEWEST_REGISTRATION - stay)
    own_name = age >= 18 and rng.random() < 0.3
    died, left = _gone(rng, age, registered, today)
    return Person(
        nhs_number=number,
        title=names.title(rng, sex, age),
        given_name=names.given_name(rng, home.origin, sex, born.year),
        family_name=names.family_name(rng, home.origin) if own_name else home.family_name,
        born_on=born,
        gender=_gender(rng, sex),
        address=f"{home.address}, {place.county}",
        postcode=home.postcode,
        identity=rng.choices(["VERIFIED", "UNVERIFIED", "MISMATCH"], [975, 19, 6])[0],
        is_sensitive=rng.random() < 0.004,
        registered_on=registered,
        left_on=left,
        died_on=died,
        letter_sent_on=_letter(place, rng, age, registered, today),
        gp=rng.randrange(place.gps),
        age=age,
    )


def _gender(rng: random.Random, sex: str) -> str:
    if rng.random() < 0.002:
        return rng.choice(["OTHER", "NOT_KNOWN", "NOT_SPECIFIED"])
    return "FEMALE" if sex == "F" else "MALE"


def _gone(
    rng: random.Random, age: int, registered: datetime.date, today: datetime.date
) -> tuple[datetime.date | None, datetime.date | None]:
    """Few: those who died or left and whom the list has not dropped yet."""
    day = a_day(rng, max(registered, today - datetime.timedelta(days=45)), today)
    if rng.random() < (0.02 if age >= 85 else 0.006 if age >= 70 else 0.0004):
        return day, None
    return None, day if rng.random() < 0.003 else None


def _letter(
    place: Place, rng: random.Random, age: int, registered: datetime.date, today: datetime.date
) -> datetime.date | None:
    """Letters went out in two waves; the second is still within its twelve weeks."""
    lot = rng.random()
    weeks = place.letter_weeks_ago if lot < 0.6 else 6 if lot < 0.75 else None
    if age < 16 or weeks is None:
        return None
    day = today - datetime.timedelta(weeks=weeks)
    return day if registered <= day else None
