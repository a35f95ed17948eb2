"""The GPs of a practice, from whom lists are narrowed."""

import uuid
from typing import NamedTuple

from django.db import connection
from django.utils import timezone

from carerecords.models import Practice
from carerecords.models.staff import short_name
from carerecords.permissions import Role

_GPS = """
SELECT id, public_id, title, given_name, family_name FROM carerecords_user
WHERE id IN (SELECT user_id FROM carerecords_roleassignment
             WHERE practice_id = %(practice)s AND role = %(gp)s AND starts_at <= %(at)s
               AND (ends_at IS NULL OR ends_at > %(at)s))
ORDER BY family_name, given_name, id
"""


class UsualGp(NamedTuple):
    """A GP of a practice, for the filter."""

    pk: int
    public_id: uuid.UUID
    short_name: str


def usual_gps(practice: Practice) -> list[UsualGp]:
    """The GPs of a practice, by family name."""
    with connection.cursor() as cursor:
        cursor.execute(_GPS, {"practice": practice.pk, "gp": Role.GP.value, "at": timezone.now()})
        return [UsualGp(pk, public_id, short_name(*name)) for pk, public_id, *name in cursor.fetchall()]
