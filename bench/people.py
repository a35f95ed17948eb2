"""A practice of a given size for the pages' benchmarks, with everything that a demo practice has."""

import datetime
from dataclasses import dataclass
from typing import Any

from bench.harness import sql

_MORE = """
INSERT INTO carerecords_patient
  (public_id, practice_id, usual_gp_id, nhs_number, title, given_name, family_name, preferred_name, born_on, gender,
   address, postcode, identity, is_sensitive, registered_on, consent_state, consent_source)
SELECT gen_random_uuid(), %(practice)s, %(gp)s, (7000000000 + n)::text, '', 'Given' || n %% 300,
       'Fam' || translate((n %% 4000)::text, '0123456789', 'abcdefghij'), '', DATE '1950-01-01' + n %% 15000, 'FEMALE', '', '', 'VERIFIED', false,
       DATE '2015-03-02', 'NONE', ''
FROM generate_series(1, %(count)s) n
"""


def practice_of(size: int) -> tuple[Any, Any]:
    """The largest practice that has GPs, as the demo's have, made as large as this, and one of them."""
    from django.db.models import Count

    from carerecords.models import Patient, Practice, RoleAssignment

    with_gps = Practice.objects.filter(pk__in=RoleAssignment.objects.filter(role="GP").values("practice"))
    practice = with_gps.annotate(size=Count("patients")).order_by("-size")[0]
    gp = RoleAssignment.objects.filter(practice=practice, role="GP").order_by("pk")[0].user
    here = Patient.objects.of(practice).here().count()
    if here < size:
        sql(_MORE, practice=practice.pk, gp=gp.pk, count=size - here)
    for table in ("carerecords_patient", "carerecords_uploadjob", "consent_consentevent"):
        sql(f"VACUUM ANALYZE {table}")
    return practice, gp


@dataclass(frozen=True)
class Places:
    """Addresses of one list, and the cookies with which a search among them is known."""

    paths: dict[str, str]
    cookies: str


def places(practice: Any, gp: Any) -> Places:
    """The list deep down, filtered, sorted and searched; each has a full page."""
    from django.test import Client

    from bench import serving
    from carerecords.models import Patient

    ids = list(
        Patient.objects.of(practice)
        .here()
        .order_by("family_name", "given_name", "id")
        .values_list("public_id", flat=True)
    )
    cookies = serving.session_of(gp)
    client = Client(headers={"cookie": cookies, "X-CSRFToken": serving.SECRET})
    searched = client.post("/patients/search/", {"text": _frequent_name(practice)})["Location"]
    return Places(
        {
            "page 150": f"/patients/?after={ids[149 * 50 - 1]}&page=150",
            "last but one": f"/patients/?before={ids[-50]}&page={len(ids) // 50 - 1}",
            "consent given": "/patients/?decision=EXPRESS_CORE",
            "no letter": "/patients/?letter=no",
            "waiting uploads": "/patients/?upload=WAITING",
            "newest decisions": "/patients/?sort=decided",
            "a family name": searched,
        },
        cookies,
    )


def _frequent_name(practice: Any) -> str:
    """A family name that fills a page, and is not refused for finding too many."""
    from django.db.models import Count

    from carerecords.models import Patient

    named = (
        Patient.objects.of(practice).values("family_name").annotate(people=Count("pk")).order_by("-people")
    )
    name: str = named.filter(people__lte=180)[0]["family_name"]
    return name


def more_gps(practice: Any, count: int) -> list[Any]:
    """GPs beside those whom the practice has."""
    from django.utils import timezone

    from carerecords import staffing
    from carerecords.permissions import Role

    return [
        staffing.give_role(
            email=f"bench.gp{number}@test.example",
            role=Role.GP,
            ods_code=practice.ods_code,
            at=timezone.now(),
            given_name="Bench",
            family_name=f"Doctor{number}",
        ).user
        for number in range(count)
    ]


def undecided(practice: Any) -> list[str]:
    """Public ids of adults who never decided, whose records are open to all GPs."""
    from carerecords.models import Patient

    adults = Patient.objects.of(practice).here().filter(born_on__lt=datetime.date(2005, 1, 1))
    ids = adults.filter(consent_event_id=None, is_sensitive=False).order_by("pk")
    return [str(each) for each in ids.values_list("public_id", flat=True)]


def all_consent(practice: Any, by: Any) -> None:
    """Everybody who never decided consents, and every upload is due."""
    from django.db import transaction
    from django.utils import timezone

    from consent import many

    at = timezone.now()
    with transaction.atomic():
        many.record_many(
            _CONSENT,
            {"practice": practice.pk, "day": timezone.localdate(at)},
            practice_id=practice.pk,
            run_id=None,
            by=by,
            at=at,
            same_is_enough=True,
        )
    sql("UPDATE carerecords_uploadjob SET due_at = now() - interval '1 second' WHERE state = 'WAITING'")


_CONSENT = """
SELECT id, id, 'EXPRESS_CORE', 'IN_PERSON', %(day)s::date, '', '', '', '', false, NULL::bigint
FROM carerecords_patient
WHERE practice_id = %(practice)s AND consent_event_id IS NULL AND left_on IS NULL AND died_on IS NULL
"""


def consenting(practice: Any) -> list[int]:
    """Patients whose consent can be withdrawn."""
    from carerecords.models import Patient
    from consent.codes import PERMITTING

    states = [str(each) for each in PERMITTING]
    found = Patient.objects.of(practice).here().filter(consent_state__in=states).order_by("pk")
    return list(found.values_list("pk", flat=True))
