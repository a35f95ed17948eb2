"""People who log in, and the roles they hold."""

import uuid
from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models import F, Q

from carerecords.models.practice import Practice
from carerecords.permissions import ROLES, Role

PRACTICE_ROLES = [role for role, rule in ROLES.items() if rule.of_practice]


class UserManager(BaseUserManager["User"]):
    """Makes users; log-in is by email address."""

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """A stored user; without a password they cannot log in."""
        user = self.model(email=email.lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user


class User(AbstractBaseUser):
    """One person. What they may do stands in their role assignments."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    email = models.EmailField(unique=True)
    title = models.CharField(max_length=20, blank=True)
    given_name = models.CharField(max_length=35)
    family_name = models.CharField(max_length=35)
    # Of doctors: who is on the roll of a survey or ballot goes by it.
    gmc_number = models.CharField(max_length=7, null=True, blank=True, unique=True)
    # Spine directory ids, which a message names as its author.
    sds_user_id = models.CharField(max_length=12, blank=True)
    sds_role_profile_id = models.CharField(max_length=12, blank=True)
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects: ClassVar[UserManager] = UserManager()
    # All roles ever held, where they were read with the user (`carerecords.posts`).
    posts: "list[RoleAssignment] | None" = None

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS = ["given_name", "family_name"]

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="carerecords_user_gmc_number_is_7_digits",
                condition=Q(gmc_number__isnull=True) | Q(gmc_number__regex=r"^[0-9]{7}$"),
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def name(self) -> str:
        """`Dr Amina Khan`."""
        return " ".join(part for part in (self.title, self.given_name, self.family_name) if part)

    @property
    def short_name(self) -> str:
        """`Dr A Khan`, as notes and histories name staff."""
        return short_name(self.title, self.given_name, self.family_name)


def short_name(title: str, given_name: str, family_name: str) -> str:
    """`Dr A Khan`."""
    return " ".join(part for part in (title, given_name[:1], family_name) if part)


class RoleAssignment(models.Model):
    """One role of one person, in one practice or nationally, from a time until another."""

    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="assignments")
    practice = models.ForeignKey(
        Practice,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="assignments",
    )
    role = models.CharField(max_length=20, choices=[(role.value, rule.name) for role, rule in ROLES.items()])
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="carerecords_roleassignment_practice_roles_name_a_practice",
                condition=Q(role__in=PRACTICE_ROLES, practice__isnull=False)
                | (~Q(role__in=PRACTICE_ROLES) & Q(practice__isnull=True)),
            ),
            models.CheckConstraint(
                name="carerecords_roleassignment_ends_after_it_starts",
                condition=Q(ends_at__isnull=True) | Q(ends_at__gt=F("starts_at")),
            ),
            models.UniqueConstraint(
                name="carerecords_roleassignment_once_at_a_time",
                fields=["user", "practice", "role"],
                condition=Q(ends_at__isnull=True),
                nulls_distinct=False,
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user} as {Role(self.role).rule.name}"
