"""Nothing that names a patient reaches a log line, whatever is sent and however it goes wrong."""

import io
import json
import logging

import pytest

from carerecords.models import AccessEvent
from tests.factories import decide

pytestmark = pytest.mark.django_db
PATIENTS = "/api/v1/patients/"


@pytest.fixture
def lines(monkeypatch):
    """What the product's own handler writes, at the level of production."""
    root = logging.getLogger()
    handler = next(each for each in root.handlers if type(each) is logging.StreamHandler)
    written = io.StringIO()
    monkeypatch.setattr(handler, "stream", written)
    monkeypatch.setattr(root, "level", logging.INFO)
    monkeypatch.setattr(logging.getLogger("django"), "level", logging.INFO)
    for name in ("django", "django.request", "django_structlog.middlewares.request"):
        logging.getLogger(name)._cache.clear()
    return written


def test_no_line_names_a_patient(api, patient, lines, monkeypatch):
    done, number = decide(patient), patient.nhs_number
    of_patient = f"{PATIENTS}{patient.public_id}/"
    spaced = f"{number[:3]} {number[3:6]} {number[6:]}"
    born = patient.born_on.isoformat()
    api.get(PATIENTS)
    api.post(f"{PATIENTS}find/", {"nhs_number": number, "born_on": born})
    api.post(f"{PATIENTS}find/", {"nhs_number": spaced + "x", "born_on": born})
    for tail in ("", "decisions/", "explain/"):
        api.get(of_patient + tail)
    api.post(f"{of_patient}decisions/", {"preference": number, "note": f"{number} {patient.family_name}"})
    api.get(f"/api/v1/uploads/{done.job.public_id}/")
    # Callers' mistakes: a number where none belongs.
    for wrong in (f"?nhs_number={number}", f"?nhs_number={spaced}", f"{number}/", f"{spaced}/"):
        api.get(PATIENTS + wrong)

    def fails(*args, **kwargs):
        raise RuntimeError(f"{number} {patient.family_name}")

    monkeypatch.setattr("consent.api.patient_page", fails)
    api.raise_request_exception = False
    assert api.get(PATIENTS).status_code == 500

    text = lines.getvalue()
    asked = [json.loads(line).get("request", "") for line in text.splitlines()]
    assert f"GET {of_patient}" in asked and "GET /api/v1/patients/?nhs_number=[number]" in asked
    assert "RuntimeError" in text
    for secret in (number, number[3:], spaced, spaced.replace(" ", "%20"), spaced.replace(" ", "+"), born):
        assert secret not in text
    assert patient.family_name not in text and patient.given_name not in text
    assert not AccessEvent.objects.filter(detail__contains=number).exists()


def test_answers_name_no_patient_in_an_address(api, patient):
    decide(patient)
    for answer in (api.get(PATIENTS), api.get("/api/v1/uploads/")):
        assert patient.nhs_number not in json.dumps(dict(answer.headers))
        assert patient.nhs_number not in (answer.json()["next"] or "")
