"""Proof that the person at the keyboard is who logged in: a log-in or a password of the last minutes.

What cannot easily be undone for thousands of practices asks for it, on a page, in the API and in a
command alike (docs/adr/0064-fresh-proof-of-the-person.md). The limit is that of the danger zone in the
screens design: five minutes.
"""

import datetime
from dataclasses import dataclass

from allauth.account.authentication import get_authentication_records
from django.contrib.auth import authenticate
from django.http import HttpRequest
from django.utils import timezone

from carerecords.models import User

FRESH = datetime.timedelta(minutes=5)
# What the API and commands say of a password that does not prove it.
WRONG_PASSWORD = "Password is not right"


class NotConfirmed(Exception):
    """Nothing was done: who is asking has to prove again who they are."""

    sentence = "Enter your password again"

    def __init__(self) -> None:
        super().__init__(self.sentence)


@dataclass(frozen=True)
class Confirmation:
    """That a person proved who they are, and when."""

    user_id: int
    at: datetime.datetime

    def holds(self, user: User, at: datetime.datetime) -> bool:
        """Whether it is this person's, and fresh. One from the future is none."""
        return self.user_id == user.pk and datetime.timedelta(0) <= at - self.at <= FRESH


def check(confirmed: Confirmation | None, by: User, at: datetime.datetime) -> None:
    """Raises `NotConfirmed` unless the proof is `by`'s own and fresh."""
    if confirmed is None or not confirmed.holds(by, at):
        raise NotConfirmed


def by_log_in(request: HttpRequest, user: User) -> Confirmation | None:
    """From the session: its last log-in or re-authentication, by password or second factor."""
    moments = [record["at"] for record in get_authentication_records(request, user)]
    if not moments:
        return None
    return Confirmation(user.pk, datetime.datetime.fromtimestamp(max(moments), tz=datetime.UTC))


def by_password(user: User, password: str, request: HttpRequest | None = None) -> Confirmation | None:
    """From the password, typed now.

    With a request wrong ones count towards the lock-out of the log-in page. Without one somebody
    stands at the machine itself, which no lock-out of ours would keep from the database.
    """
    if not password or not user.is_active:
        return None
    if request is None:
        right = user.check_password(password)
    else:
        known = authenticate(request, email=user.email, password=password)
        right = known is not None and known.pk == user.pk
    return Confirmation(user.pk, timezone.now()) if right else None
