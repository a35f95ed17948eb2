"""What the tests of the consent pages share: addresses, a form's answers, the links of a page."""

import re
from html import unescape

import pytest
from django.db import connection
from django.utils import timezone

from carerecords.models import AccessEvent, Patient, UploadJob
from consent.models import ConsentEvent

LIST = "/patients/"
HTMX = {"HTTP_HX_REQUEST": "true"}
both_ways = pytest.mark.parametrize("more", [{}, HTMX], ids=["whole page", "row of the list"])


def page_of(patient):
    return f"{LIST}{patient.public_id}/"


def form_of(patient):
    return f"{LIST}{patient.public_id}/consent/new/"


def undo_of(event):
    return f"{LIST}{event.patient.public_id}/consent/{event.public_id}/undo/"


def answers(preference="EXPRESS_CORE", **changes):
    """The answers of a form of today."""
    today = timezone.localdate()
    date = {"decided_on_day": today.day, "decided_on_month": today.month, "decided_on_year": today.year}
    fair = {"preference": preference, "source": "IN_PERSON", "reference": "L 1", "note": "", **date}
    return fair | changes


def text(response):
    """What a page says, without its markup and with single spaces."""
    body = re.sub(r"<(script|style).*?</\1>", " ", response.content.decode(), flags=re.DOTALL)
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]*>", "", body)))


def hidden(response):
    """The hidden fields of a page's decision form, check form or conflict form."""
    found = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', response.content.decode())
    return {name: unescape(value) for name, value in found if name != "csrfmiddlewaretoken"}


def addresses(response):
    """Every address that a page leads to or posts to."""
    attributes = r'(?:href|action|formaction|src|hx-get|hx-post)="([^"]*)"'
    return [unescape(address) for address in re.findall(attributes, response.content.decode())]


def written():
    """All that recording writes, to compare before with after; the access log but for refusals."""
    return (
        list(ConsentEvent.objects.order_by("pk").values_list("pk", flat=True)),
        list(UploadJob.objects.order_by("pk").values_list("pk", "state", "kind")),
        list(Patient.objects.order_by("pk").values_list("pk", "consent_state", "consent_event_id")),
        AccessEvent.objects.filter(kind__in=["DECISION", "UNDO"]).count(),
    )


_FILL = """
INSERT INTO carerecords_patient
  (public_id, practice_id, nhs_number, title, given_name, family_name, preferred_name, born_on, gender,
   address, postcode, identity, is_sensitive, registered_on, consent_state, consent_source,
   consent_decided_on)
SELECT gen_random_uuid(), %(practice)s, (%(first)s + n)::text, '', 'Given' || n %% 3,
       'Fam' || lpad((n * 7919 %% %(families)s)::text, 6, '0'), '', DATE '1950-01-01' + n %% 20000, 'FEMALE',
       '', '', 'VERIFIED', false, DATE '2015-03-02',
       CASE WHEN %(decided)s AND n %% 2 = 0 THEN 'EXPRESS_CORE' ELSE 'NONE' END, '',
       CASE WHEN %(decided)s AND n %% 2 = 0 THEN DATE '2026-01-01' + n %% 9 END
FROM generate_series(1, %(count)s) n
"""


def fill(practice, count, *, half_decided=False):
    """Many patients by one statement; several share each name, so that pages end within a name."""
    first = 1_000_000_000 + Patient.objects.count() * 10 + practice.pk % 8_000 * 1_000_000
    values = {"practice": practice.pk, "first": first, "count": count, "families": count // 7 + 1}
    with connection.cursor() as cursor:
        cursor.execute(_FILL, values | {"decided": half_decided})


def listed(client, query="", **asked):
    return rows_of(client.get(LIST + query, asked))


def rows_of(response):
    """Family names, upper case as the page writes them, in the order of the page."""
    assert response.status_code == 200
    body = response.content.decode()
    found = body.split('class="care-identity__name"')[1:]
    return [part.split(">", 1)[1].split(",", 1)[0].title() for part in found]
