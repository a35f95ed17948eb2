"""The doors of imports: who may, what is logged, what leaves no trace, and what a worker is rung for."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from carerecords import doorbell
from carerecords.models import AccessEvent
from carerecords.permissions import Role
from consent.codes import ImportKind, ImportState
from consent.imports import pages
from consent.imports.upload import TOO_LARGE
from consent.models import ConsentEvent, Import, ImportRow
from tests.factories import make_patient, make_user
from tests.integration.consent.importing import csv_of, decision, person, staged

pytestmark = pytest.mark.django_db
NEW = "/imports/new/"


def send(client, content, kind="DECISIONS", name="decisions.csv"):
    return client.post(NEW, {"kind": kind, "file": SimpleUploadedFile(name, content)})


def step(made, name):
    return reverse(f"imports:{name}", args=[made.public_id])


@pytest.fixture
def file(practice):
    return csv_of([decision(make_patient(practice)) for _ in range(3)]).getvalue()


def test_the_log_says_who_did_what_and_names_nobody(client, practice, manager, file):
    client.force_login(manager)
    page = send(client, file, name="Grace Adeyemi.csv")["Location"]
    made = Import.objects.get()
    client.get(page)
    client.post(step(made, "approve"))
    client.get(step(made, "errors"))
    client.post(step(made, "undo"))
    told = list(AccessEvent.objects.order_by("pk").values_list("kind", "detail", "rows"))
    assert told == [
        ("IMPORTED", "decisions, uploaded", 3),
        ("IMPORTED", "decisions, approved", 3),
        ("EXPORTED", "rows of an import", 0),
        ("IMPORTED", "decisions, undone", 3),
    ]


def test_a_form_without_its_token_changes_nothing(practice, manager, file):
    client = Client(enforce_csrf_checks=True)
    client.force_login(manager)
    assert send(client, file).status_code == 403
    assert not Import.objects.exists()


def test_a_form_with_its_token_is_taken(practice, manager, file):
    client = Client(enforce_csrf_checks=True)
    client.force_login(manager)
    client.get(NEW)
    token = client.cookies["csrftoken"].value
    data = {"kind": "DECISIONS", "file": SimpleUploadedFile("a.csv", file), "csrfmiddlewaretoken": token}
    assert client.post(NEW, data).status_code == 302 and Import.objects.count() == 1


def test_what_is_too_large_is_let_run_by(client, manager, monkeypatch, settings):
    client.force_login(manager)
    settings.FILE_UPLOAD_MAX_MEMORY_SIZE = 0
    stored = []
    monkeypatch.setattr(
        "django.core.files.uploadhandler.TemporaryFileUploadHandler.receive_data_chunk",
        lambda self, data, start: stored.append(len(data)),
    )
    page = send(client, b"x" * (6 * 1024 * 1024)).content.decode()
    assert TOO_LARGE in page and not Import.objects.exists()
    assert 0 < sum(stored) <= 5 * 1024 * 1024


def test_a_wrong_file_keeps_what_was_chosen(client, manager):
    client.force_login(manager)
    page = send(client, b"", name="a.csv").content.decode()
    assert "The selected file is empty" in page and 'value="DECISIONS" checked' in page
    page = send(client, b"%PDF-1.7", name="a.csv").content.decode()
    assert "The selected file must be a CSV or XLSX" in page and not Import.objects.exists()


def test_pages_of_other_practices_do_not_exist(client, practice, manager, file):
    client.force_login(manager)
    send(client, file)
    made = Import.objects.get()
    client.force_login(make_user(Role.PRACTICE_MANAGER))
    for name in ("import", "errors"):
        assert client.get(step(made, name)).status_code == 404
    for name in ("approve", "cancel", "undo"):
        assert client.post(step(made, name)).status_code == 404
    assert "decisions.csv" not in client.get("/imports/").content.decode()
    made.refresh_from_db()
    assert made.state == ImportState.READY and not ConsentEvent.objects.exists()


def test_a_refusal_is_said_on_the_page(client, practice, manager, file):
    client.force_login(manager)
    send(client, file)
    Import.objects.update(consents=501)
    made = Import.objects.get()
    assert "Somebody other than you must approve it" in client.get(step(made, "import")).content.decode()
    answer = client.post(step(made, "approve"))
    assert answer.status_code == 400 and "There is a problem" in answer.content.decode()
    assert not ConsentEvent.objects.exists()


def test_a_large_file_rings_for_a_worker_with_its_id_alone(
    client, practice, manager, file, monkeypatch, django_capture_on_commit_callbacks
):
    rung = []
    monkeypatch.setattr(doorbell, "ring_for", lambda task, **ids: rung.append((task, ids)))
    monkeypatch.setattr("consent.views.imports.AT_ONCE", 2)
    client.force_login(manager)
    with django_capture_on_commit_callbacks(execute=True):
        send(client, file)
    made = Import.objects.get()
    assert made.state == ImportState.CHECKING
    assert rung == [("consent.tasks.check_import", {"import_id": str(made.public_id)})]


@pytest.mark.parametrize("kind", ImportKind)
@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_templates_are_taken_as_they_are(client, practice, manager, kind, form):
    client.force_login(manager)
    answer = client.get(reverse(f"imports:template_{kind.lower()}_{form}"))
    assert answer["Content-Disposition"] == f'attachment; filename="{kind.lower()}.{form}"'
    page = send(client, answer.content, kind=kind, name=f"a.{form}").content.decode()
    assert "The selected file has no rows under its heading" in page


def test_a_page_of_many_faults_shows_a_hundred(client, practice, manager):
    client.force_login(manager)
    send(client, csv_of([decision(make_patient(practice), "maybe")] + [["1"]] * 120).getvalue())
    page = client.get(step(Import.objects.get(), "import")).content.decode()
    assert "The first 100 of 121." in page and page.count("NHS number must be 10 numbers") == 99
    errors = b"".join(client.get(step(Import.objects.get(), "errors")).streaming_content).decode()
    assert errors.count("\r\n") == 122


def test_every_state_has_its_tag_and_its_sentence(practice, manager):
    made = staged(practice, manager, csv_of([person("9990000018")], ImportKind.PATIENTS), ImportKind.PATIENTS)
    for state in ImportState:
        made.state = state
        assert pages.standing(made)[0] and pages.headline(made)


def test_queries_do_not_grow_with_the_rows(client, practice, manager, django_assert_max_num_queries):
    client.force_login(manager)
    send(client, csv_of([decision(make_patient(practice)) for _ in range(30)]).getvalue())
    with django_assert_max_num_queries(14):
        client.get(step(Import.objects.get(), "import"))
    assert ImportRow.objects.count() == 30
