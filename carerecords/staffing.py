"""Giving people roles and ending them. A role is never deleted: it ends, and the row stays."""

import datetime

from django.db import transaction
from django.db.models import Q

from carerecords import leaving
from carerecords.identifiers import BadGmcNumber, BadOdsCode, parse_gmc_number, parse_ods_code
from carerecords.models import Practice, RoleAssignment, User
from carerecords.permissions import NotPermitted, Permission, Role


class RoleRefused(Exception):
    """The role cannot be given or ended; the message says why."""


@transaction.atomic
def give_role(
    *, email: str, role: Role, ods_code: str | None, at: datetime.datetime, **person: str
) -> RoleAssignment:
    """Gives the role from `at`, and stores the person first if their address is new.

    `person` holds what is stored of somebody new: at least `given_name` and `family_name`. They have
    no password: they choose one by "Forgotten your password?". Raises RoleRefused.
    """
    practice = _practice(role, ods_code)
    user = User.objects.filter(email=email.lower()).first()
    if user is None:
        if not (person.get("given_name") and person.get("family_name")):
            raise RoleRefused(
                f"Nobody here has the address {email}. Give their names, so that they can be stored."
            )
        number = person.pop("gmc_number", "")
        user = User.objects.create_user(email, **person)
        if number:
            note_gmc_number(email=email, gmc_number=number)
    if user.assignments.filter(role=role, practice=practice, ends_at__isnull=True).exists():
        raise RoleRefused(f"{user.name} has that role already.")
    return RoleAssignment.objects.create(user=user, role=role, practice=practice, starts_at=at)


@transaction.atomic
def note_gmc_number(*, email: str, gmc_number: str) -> User:
    """Stores a doctor's number in the register: without it they are on no roll. Raises RoleRefused.

    A number that is stored already stays: with another it would be another doctor.
    """
    try:
        number = parse_gmc_number(gmc_number)
    except BadGmcNumber as error:
        raise RoleRefused(str(error)) from error
    user = User.objects.select_for_update().filter(email=email.lower()).first()
    if user is None:
        raise RoleRefused(f"Nobody here has the address {email}.")
    if user.gmc_number not in {None, number}:
        raise RoleRefused(f"{user.name} has another GMC number already.")
    if User.objects.filter(gmc_number=number).exclude(pk=user.pk).exists():
        raise RoleRefused("Somebody else has that GMC number.")
    user.gmc_number = number
    user.save(update_fields=["gmc_number"])
    return user


def require(user: User, permission: Permission, at: datetime.datetime) -> None:
    """Raises `NotPermitted` unless an active person holds a role with it at that time.

    For verbs that a page, the API and a command share, so that no door can leave the check out.
    """
    if not may(user, permission, at):
        raise NotPermitted(permission, next(iter(roles_of(user, at)), None))


def may(user: User, permission: Permission, at: datetime.datetime) -> bool:
    """Whether an active person holds a role with it at that time."""
    return any(permission in role.rule.permissions for role in roles_of(user, at))


def roles_of(user: User, at: datetime.datetime) -> list[Role]:
    """The roles in force of somebody whose account is in use, in the order they were given."""
    held = (
        RoleAssignment.objects.filter(user=user, user__is_active=True, starts_at__lte=at)
        .filter(Q(ends_at__isnull=True) | Q(ends_at__gt=at))
        .order_by("pk")
    )
    return [Role(role) for role in held.values_list("role", flat=True)]


@transaction.atomic
def end_role(*, email: str, role: Role, ods_code: str | None, at: datetime.datetime) -> None:
    """Ends the role at `at`: gone with the person's next click. Raises RoleRefused."""
    held = RoleAssignment.objects.filter(
        user__email=email.lower(), role=role, practice=_practice(role, ods_code), ends_at__isnull=True
    )
    ended = held.select_related("user").first()
    if ended is None:
        raise RoleRefused(f"{email} does not have that role.")
    held.update(ends_at=at)
    leaving.tell(ended.user, at)


def _practice(role: Role, ods_code: str | None) -> Practice | None:
    if not role.rule.of_practice:
        if ods_code:
            raise RoleRefused(f"{role.rule.name} is a national role: leave the practice out.")
        return None
    if not ods_code:
        raise RoleRefused(f"{role.rule.name} is a role of one practice: name it by its ODS code.")
    try:
        practice = Practice.objects.filter(ods_code=parse_ods_code(ods_code)).first()
    except BadOdsCode as error:
        raise RoleRefused(str(error)) from error
    if practice is None:
        raise RoleRefused(f"There is no practice {ods_code} here. Import the practices first.")
    return practice
