"""What needs doing today, by role: counts that open the list behind them, the riskiest first."""

import datetime
from dataclasses import replace

from boycott.models import StanceRevision
from boycott.notices import unread
from boycott.queries import history
from carerecords.models import Practice, User
from carerecords.permissions import Permission, Role
from reports.cards import Happened, Home
from reports.national_home import of_national_admin, of_policy_admin
from reports.practice_home import todo_of_practice
from spine.policy.stopping import stop_history

RECENT = 10


def home_of(role: Role, practice: Practice | None, user: User, at: datetime.datetime) -> Home:
    """The home page of one user in one role."""
    found = _home(role, practice, user, at)
    # Only who writes or approves changes of policy is told of them.
    concerned = Permission.APPROVE_POSITION in role.rule.permissions
    return replace(found, notices=tuple(unread(user))) if concerned else found


def _home(role: Role, practice: Practice | None, user: User, at: datetime.datetime) -> Home:
    if practice is not None:
        return Home(todo_of_practice(role, practice, user, at))
    if role is Role.POLICY_ADMIN:
        return of_policy_admin(user, at)
    if role is Role.NATIONAL_ADMIN:
        return of_national_admin(user, at)
    return Home([], recent=tuple(_recent_changes()))


def _recent_changes() -> list[Happened]:
    """The latest changes of policy, stances and stops, newest first; three queries."""
    stances = StanceRevision.objects.select_related("practice", "made_by").order_by("-pk")[:RECENT]
    found = [
        *(
            Happened(one.made_at, f"BMA policy: {one.get_position_display()}", _who(one.made_by), one.reason)
            for one in history()[:RECENT]
        ),
        *(
            Happened(one.made_at, f"{one.practice}: {one.get_stance_display()}", _who(one.made_by), one.note)
            for one in stances
        ),
        *(Happened(one.at, one.title, one.who, one.text) for one in stop_history()[:RECENT]),
    ]
    return sorted(found, key=lambda one: one.at, reverse=True)[:RECENT]


def _who(user: User | None) -> str:
    return user.short_name if user else "the system"
