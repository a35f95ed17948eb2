"""A practice of a given size for the pages' benchmarks, with everything that a demo practice has."""

from dataclasses import dataclass
from typing import Any

from bench.harness import sql

_MORE = """
INSERT INTO carerecords_patient
  (public_id, practice_id, usual_gp_id, nhs_number, title, given_name, family_name, preferred_name, born_on, gender,
   address, postcode, identity, is_sensitive, registered_on, consent_state, consent_source)
SELECT gen_random_uuid(), %(practice)s, %(gp)s, (7000000000 + n)::text, '', 'Given' || n %% 300,
       'Fam' || n %% 4000, '', DATE '1950-01-01' + n %% 15000, 'FEMALE', '', '', 'VERIFIED', false,
       DATE '2015-03-02', 'NONE', ''
FROM generate_series(1, %(count)s) n
"""


def practice_of(size: int) -> tuple[Any, Any]:
    """The largest demo practice, made as large as this, and one of its GPs."""
    from django.db.models import Count

    from carerecords.models import Patient, Practice, RoleAssignment

    practice = Practice.objects.annotate(size=Count("patients")).order_by("-size")[0]
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
    searched = client.post("/patients/search/", {"text": "Fam1"})["Location"]
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
