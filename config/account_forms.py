"""allauth's forms with our labels and error texts (screens design, "Log in")."""

from typing import Any

from allauth.account.forms import (
    ChangePasswordForm,
    LoginForm,
    ReauthenticateForm,
    ResetPasswordForm,
    ResetPasswordKeyForm,
)
from allauth.mfa.base.forms import AuthenticateForm
from allauth.mfa.base.forms import ReauthenticateForm as SecondFactorReauthenticateForm
from allauth.mfa.totp.forms import ActivateTOTPForm
from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import EmailValidator

EMAIL_FORMAT = "Enter an email address in the correct format, like name@example.com"
NEW_PASSWORD_HINT = "10 characters or more. Three words that do not belong together work well."


class LogInForm(LoginForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _email(self.fields["login"])
        _words(self.fields["password"], "Password", "Enter your password")


class ForgottenPasswordForm(ResetPasswordForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _email(self.fields["email"])


class NewPasswordForm(ResetPasswordKeyForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _new_password(self)

    def clean(self) -> dict[str, Any] | None:
        return _passwords_match(self, super().clean())


class PasswordChangeForm(ChangePasswordForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _words(self.fields["oldpassword"], "Current password", "Enter your current password")
        _new_password(self)

    def clean(self) -> dict[str, Any] | None:
        return _passwords_match(self, super().clean())


class ConfirmPasswordForm(ReauthenticateForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _words(self.fields["password"], "Password", "Enter your password")


class _CodeWords:
    """A code of the app (6 numbers), or a recovery code (8) where the app is not at hand."""

    lengths: tuple[int, ...] = (6, 8)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _words(self.fields["code"], "Code", "Enter the code")  # type: ignore[attr-defined]

    def clean_code(self) -> str:
        code = "".join(self.cleaned_data["code"].split())  # type: ignore[attr-defined]
        if not code.isdigit() or len(code) not in self.lengths:
            raise ValidationError("Code must be 6 numbers")
        self.cleaned_data["code"] = code  # type: ignore[attr-defined]
        checked: str = super().clean_code()  # type: ignore[misc]
        return checked


class CodeForm(_CodeWords, AuthenticateForm):
    pass


class ConfirmCodeForm(_CodeWords, SecondFactorReauthenticateForm):
    pass


class AddAppForm(_CodeWords, ActivateTOTPForm):
    lengths = (6,)


def _words(field: forms.Field, label: str, required: str) -> None:
    field.label, field.help_text = label, ""
    field.error_messages["required"] = required


def _email(field: forms.Field) -> None:
    _words(field, "Email address", "Enter your email address")
    field.error_messages["invalid"] = EMAIL_FORMAT
    for validator in field.validators:
        if isinstance(validator, EmailValidator):
            validator.message = EMAIL_FORMAT


def _new_password(form: forms.Form) -> None:
    _words(form.fields["password1"], "New password", "Enter a new password")
    form.fields["password1"].help_text = NEW_PASSWORD_HINT
    _words(form.fields["password2"], "Type the new password again", "Type the new password again")


def _passwords_match(form: forms.Form, cleaned: dict[str, Any] | None) -> dict[str, Any] | None:
    """allauth's sentence for two different passwords, in the words of the design system."""
    typed = form.cleaned_data.get("password1"), form.data.get(form.add_prefix("password2"))
    if "password2" in form.errors and all(typed):
        form.errors["password2"] = form.error_class(["Passwords must match"])
    return cleaned
