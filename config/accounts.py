"""How allauth behaves here: no sign-up, our words, our places to go."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.mfa.adapter import DefaultMFAAdapter
from django.contrib.auth.base_user import AbstractBaseUser
from django.http import HttpRequest
from django.urls import reverse

from carerecords import flash

PREVIOUS_LOG_IN = "previous_log_in"

# What the next page says after allauth did something; what is not listed is said nowhere.
_DONE = {
    "account/messages/password_changed.txt": "Your password was changed.",
    "mfa/messages/totp_activated.txt": "Authenticator app added.",
    "mfa/messages/totp_deactivated.txt": "Authenticator app removed.",
    "mfa/messages/recovery_codes_generated.txt": "New recovery codes made. The old ones no longer work.",
}


class AccountAdapter(DefaultAccountAdapter):
    """Accounts are given by a practice manager or a national admin; nobody makes their own."""

    error_messages = DefaultAccountAdapter.error_messages | {
        "account_inactive": "This account is not in use. Ask your practice manager to turn it on.",
        "email_password_mismatch": "Email address or password is not right",
        "enter_current_password": "Current password is not right",
        "incorrect_password": "Password is not right",
        "too_many_login_attempts": "Too many tries. Try again in 15 minutes.",
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def get_password_change_redirect_url(self, request: HttpRequest) -> str:
        return reverse("account")

    def login(self, request: HttpRequest, user: AbstractBaseUser) -> None:
        # Read before this log-in overwrites it; users spot a log-in that was not theirs.
        previous = user.last_login
        super().login(request, user)
        request.session[PREVIOUS_LOG_IN] = previous.isoformat() if previous else ""

    def add_message(
        self,
        request: HttpRequest,
        level: int,
        message_template: str | None = None,
        message_context: dict[str, Any] | None = None,
        extra_tags: str = "",
        message: str | None = None,
    ) -> None:
        text = message or _DONE.get(message_template or "")
        if text:
            flash.success(request, text)


class SecondFactorAdapter(DefaultMFAAdapter):
    """The words of the second factor."""

    error_messages = DefaultMFAAdapter.error_messages | {
        "incorrect_code": "Code is not right. Use the newest code in your app.",
    }
