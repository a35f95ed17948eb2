"""What a password must be, in the words of the error page.

Length and a list of common passwords, and nothing else: no forced symbols or expiry (National Cyber
Security Centre, "Password policy: updating your approach").
"""

from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.password_validation import CommonPasswordValidator, MinimumLengthValidator
from django.core.exceptions import ValidationError

LONGEST = 128


class Length(MinimumLengthValidator):
    """From 10 to 128 characters; the upper end keeps hashing cheap."""

    def validate(self, password: str, user: AbstractBaseUser | None = None) -> None:
        if len(password) < self.min_length:
            raise ValidationError(f"Password must be {self.min_length} characters or more")
        if len(password) > LONGEST:
            raise ValidationError(f"Password must be {LONGEST} characters or less")


class NotCommon(CommonPasswordValidator):
    """Not one of the 20,000 that attackers try first."""

    def validate(self, password: str, user: AbstractBaseUser | None = None) -> None:
        try:
            super().validate(password)
        except ValidationError:
            raise ValidationError("Password must be harder to guess") from None
