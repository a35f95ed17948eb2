"""Who somebody is, and the roles in which they act: one statement, since every request asks for it.

Nothing is kept between requests, so a role taken away is gone with the next click.
"""

import datetime
from typing import Any

from django.db import connection, models

from carerecords.models import Practice, RoleAssignment, User


def _columns(model: type[models.Model]) -> tuple[list[str], str]:
    """A model's attributes, and its columns in their order."""
    fields = model._meta.concrete_fields
    table = model._meta.db_table
    return [field.attname for field in fields], ", ".join(f"{table}.{field.column}" for field in fields)


_USER, _USER_SQL = _columns(User)
_POST, _POST_SQL = _columns(RoleAssignment)
_PRACTICE, _PRACTICE_SQL = _columns(Practice)
_OF_USER = f"""
SELECT {_USER_SQL}, {_POST_SQL}, {_PRACTICE_SQL}
FROM carerecords_user
LEFT JOIN carerecords_roleassignment ON carerecords_roleassignment.user_id = carerecords_user.id
LEFT JOIN carerecords_practice ON carerecords_practice.id = carerecords_roleassignment.practice_id
WHERE carerecords_user.id = %s ORDER BY carerecords_roleassignment.id
"""


def user_with_posts(user_id: Any) -> User | None:
    """The user, active or not, with all roles that they ever had; None if there is no such user."""
    with connection.cursor() as cursor:
        cursor.execute(_OF_USER, [User._meta.pk.to_python(user_id)])
        rows = cursor.fetchall()
    if not rows:
        return None
    width = len(_USER)
    user = User.from_db(connection.alias, _USER, rows[0][:width])
    user.posts = [_post(user, row[width:]) for row in rows if row[width] is not None]
    return user


def posts_in_force(user: User, at: datetime.datetime) -> list[RoleAssignment]:
    """The roles of a person at a time, the first given first. No query for a user read here."""
    posts = user.posts
    if posts is None:
        again = user_with_posts(user.pk)
        posts = again.posts or [] if again else []
    return [post for post in posts if post.starts_at <= at and (post.ends_at is None or post.ends_at > at)]


def _post(user: User, row: tuple[Any, ...]) -> RoleAssignment:
    post = RoleAssignment.from_db(connection.alias, _POST, row[: len(_POST)])
    post.user = user
    rest = row[len(_POST) :]
    post.practice = None if rest[0] is None else Practice.from_db(connection.alias, _PRACTICE, rest)
    return post
