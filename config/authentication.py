"""Who the session says is asking."""

from typing import Any

from allauth.account.auth_backends import AuthenticationBackend

from carerecords.models import User
from carerecords.posts import user_with_posts


class WithPosts(AuthenticationBackend):
    """Logs in by email address, and reads a user together with their roles: every page needs both."""

    def get_user(self, user_id: Any) -> User | None:
        """The user, unless the account is not in use."""
        user = user_with_posts(user_id)
        return user if user is not None and self.user_can_authenticate(user) else None
