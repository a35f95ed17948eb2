"""The made-up staff of the three practices, and the accounts that log in."""

import datetime
import random
from collections.abc import Sequence
from dataclasses import dataclass, field

from django.contrib.auth.hashers import make_password
from rest_framework.authtoken.models import Token

from carerecords.models import Practice, RoleAssignment, User
from carerecords.permissions import Role
from demo import names
from demo.accounts import ACCOUNTS, API_TOKEN, PASSWORD, Account
from demo.chance import Lot, a_uuid
from demo.places import PLACES, Place

SINCE = datetime.datetime(2021, 1, 4, 8, tzinfo=datetime.UTC)


@dataclass
class Roster:
    """The people of one practice by role."""

    by_role: dict[Role, list[User]] = field(default_factory=dict)

    def somebody(self, role: Role, lot: int) -> User:
        """One of those with the role; the same number, the same person."""
        people = self.by_role[role]
        return people[lot % len(people)]


def hire(practices: Sequence[Practice], rng: random.Random) -> list[Roster]:
    """Stores accounts and staff; only the accounts can log in."""
    # One hash for all: Argon2 is slow on purpose.
    password, unusable = make_password(PASSWORD), make_password(None)
    posts: list[tuple[User, Role, int | None]] = []
    for number, account in enumerate(ACCOUNTS):
        posts.append((_user(number, rng, password, **_named(account)), account.role, account.place))
    for index, place in enumerate(PLACES):
        for role in _vacancies(index, place):
            posts.append((_colleague(len(posts), rng, unusable, role, place), role, index))
    User.objects.bulk_create(user for user, _, _ in posts)
    RoleAssignment.objects.bulk_create(
        RoleAssignment(user=user, role=role, practice=None if at is None else practices[at], starts_at=SINCE)
        for user, role, at in posts
    )
    for user, role, _ in posts:
        if role is Role.API_CLIENT:
            Token.objects.create(user=user, key=API_TOKEN)
    return [_roster(posts, index) for index in range(len(practices))]


def _vacancies(index: int, place: Place) -> list[Role]:
    """The posts that the demo accounts leave open."""
    wanted = [
        *[Role.GP] * place.gps,
        *[Role.STAFF] * place.receptionists,
        Role.PRACTICE_MANAGER,
        Role.PRIVACY_OFFICER,
    ]
    for account in ACCOUNTS:
        if account.place == index and account.role in wanted:
            wanted.remove(account.role)
    return wanted


def _roster(posts: Sequence[tuple[User, Role, int | None]], index: int) -> Roster:
    roster = Roster()
    for user, role, at in posts:
        if at == index:
            roster.by_role.setdefault(role, []).append(user)
    return roster


def _named(account: Account) -> dict[str, str | None]:
    return {
        "email": account.email,
        "title": account.title,
        "given_name": account.given_name,
        "family_name": account.family_name,
        "gmc_number": _gmc_number(account.role, ACCOUNTS.index(account)),
    }


def _colleague(number: int, rng: random.Random, password: str, role: Role, place: Place) -> User:
    gender = rng.choice("FM")
    origin = Lot(list(place.origins), list(place.origins.values())).draw(rng)
    return _user(
        number,
        rng,
        password,
        email=f"{role.value.lower().replace('_', '-')}.{number}@demo.example",
        title="Dr" if role is Role.GP else names.title(rng, gender, 45),
        given_name=names.given_name(rng, origin, gender, rng.randint(1962, 1994)),
        family_name=names.family_name(rng, origin),
        gmc_number=_gmc_number(role, number),
    )


def _user(number: int, rng: random.Random, password: str, **fields: str | None) -> User:
    return User(
        password=password,
        public_id=a_uuid(rng),
        # Twelve digits, the form of the store's own examples.
        sds_user_id=f"{999_000_000_000 + number}",
        sds_role_profile_id=f"{999_100_000_000 + number}",
        **fields,
    )


def _gmc_number(role: Role, number: int) -> str | None:
    """Seven digits; made up."""
    return f"{9_900_001 + number}" if role is Role.GP else None
