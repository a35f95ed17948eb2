"""Files of decisions, those who send them in, and patients to whom they belong."""

import datetime
from collections.abc import Iterator
from typing import Any

BORN = datetime.date(1970, 6, 12)

_FILL = """
INSERT INTO carerecords_patient (public_id, practice_id, nhs_number, title, given_name, family_name, preferred_name,
    born_on, gender, address, postcode, identity, is_sensitive, registered_on)
SELECT gen_random_uuid(), %s, number, '', 'Given', 'Family' || right(number, 4), '', %s, 'FEMALE', '', '', 'VERIFIED',
    false, DATE '2005-03-02'
FROM incoming
"""


def decisions(numbers: list[str], day: int, what: str) -> str:
    """A file whose decision no file of another day has."""
    decided = decided_on(day)
    lines = [f"{number},{BORN},{what},{decided},form,F {place}" for place, number in enumerate(numbers)]
    return "\n".join(["NHS_NUMBER,DATE_OF_BIRTH,DECISION,DECISION_DATE,SOURCE,EVIDENCE_REF", *lines])


def decided_on(day: int) -> datetime.date:
    return datetime.date(2010, 1, 1) + datetime.timedelta(days=day)


def people(practice: Any, of: str) -> tuple[Any, Any]:
    """Who sends in, and who approves: more than 500 consents need two. `of` tells them from others."""
    from django.utils import timezone

    from carerecords import staffing
    from carerecords.permissions import Role

    made = []
    for name, role in (("staff", Role.STAFF), ("manager", Role.PRACTICE_MANAGER)):
        given = staffing.give_role(
            email=f"bench.{of}.{name}@test.example",
            role=role,
            ods_code=practice.ods_code,
            at=timezone.now(),
            given_name="Bench",
            family_name=name.title(),
        )
        made.append(given.user)
    return made[0], made[1]


def nhs_numbers(begin: int) -> Iterator[str]:
    """Valid numbers from these nine digits on, which were never given out, and which no demo patient has."""
    from carerecords.identifiers import check_digit

    for nine in range(begin, 990_000_000):
        digit = check_digit(str(nine))
        if digit is not None:
            yield f"{nine}{digit}"


def fill(practice: Any, numbers: list[str]) -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMPORARY TABLE incoming (number text)")
        with cursor.copy("COPY incoming FROM STDIN") as copy:
            copy.write("".join(f"{number}\n" for number in numbers))
        cursor.execute(_FILL, [practice.pk, BORN])
        cursor.execute("DROP TABLE incoming")
        cursor.execute("ANALYZE carerecords_patient")
