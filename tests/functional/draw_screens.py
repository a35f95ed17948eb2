"""Draws the pictures of docs/screens.md again: `make screens`. Not a test, so it runs only when asked.

The demo's practice at a twentieth of its size, in the browser of the tests, each page as its user
sees it. Pictures are cut at `TALLEST` and given few colours, so that all of them stay small.
"""

import datetime
from io import BytesIO
from pathlib import Path

import pytest
from django.utils import timezone
from PIL import Image

from carerecords.models import User
from consent import bulk_runs
from consent.codes import Preference, Source
from demo.load import load
from tests.browser import DESKTOP, PHONE, guard_over
from tests.factories import decide, make_item
from tests.integration.consent.importing import csv_of, decision
from tests.policy_factories import start_boycott

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(600)]
FOLDER = Path(__file__).resolve().parents[2] / "docs" / "screens"
SHARE = 0.05
TALLEST = 1400
COLOURS = 96


class Camera:
    """Goes to pages as somebody, and keeps what it sees."""

    def __init__(self, page, url, log_in):
        self.page, self.url, self.log_in = page, url, log_in

    def as_(self, name):
        self.log_in(User.objects.get(email=f"{name}@demo.example"))

    def go(self, address):
        self.page.goto(self.url + address)

    def press(self, name):
        guard_over(self.page)
        self.page.get_by_role("button", name=name).first.click()

    def date(self, day):
        for box, number in (("Day", day.day), ("Month", day.month), ("Year", day.year)):
            self.page.get_by_label(box, exact=True).first.fill(str(number))

    def keep(self, name, width=DESKTOP, top=0):
        """The page from `top` down, as docs/screens/<name>.png."""
        self.page.set_viewport_size({"width": width, "height": 900})
        self.page.wait_for_load_state("networkidle")
        seen = Image.open(BytesIO(self.page.screenshot(full_page=True))).convert("RGB")
        part = seen.crop((0, top, seen.width, min(seen.height, top + TALLEST)))
        FOLDER.mkdir(exist_ok=True)
        few = part.quantize(COLOURS, dither=Image.Dither.NONE)
        few.save(FOLDER / f"{name}.png", optimize=True)
        self.page.set_viewport_size({"width": DESKTOP, "height": 900})


@pytest.fixture
def camera(page, live_server, log_in):
    load(at=timezone.now(), say=lambda text: None, scale=SHARE)
    return Camera(page, live_server.url, log_in)


@pytest.fixture
def practice(camera):
    return User.objects.get(email="gp@demo.example").assignments.get().practice


def undecided(practice):
    return practice.patients.here().filter(
        consent_state="NONE", is_sensitive=False, born_on__lt="1980-01-01", usual_gp__isnull=False
    )


def test_screens(camera, practice):
    camera.as_("gp")
    grace = undecided(practice).order_by("family_name")[1]
    burst(practice)
    lists(camera, grace)
    record(camera, grace)
    sheet(camera)
    camera.as_("manager")
    bulk(camera, practice)
    imports(camera, practice)
    refusals(camera)
    start_boycott(User.objects.get(email="policy@demo.example"), timezone.now())
    held(camera, grace)


def lists(camera, grace):
    camera.go("/patients/")
    camera.page.get_by_role("link", name=f"Record decision for {grace.family_name.upper()}").first.click()
    camera.page.get_by_label("Consents: core only").check()
    camera.keep("patients")


def record(camera, grace):
    make_item(grace)
    make_item(grace, kind="REPEAT_MEDICATION", code="1", term="Ramipril 5mg capsules", detail="One a day")
    decide(grace, by=User.objects.get(email="gp@demo.example"), reference="F 17")
    camera.go(f"/patients/{grace.public_id}/")
    camera.keep("patient")
    camera.keep("patient-phone", width=PHONE)
    camera.page.get_by_role("link", name="See what an upload would contain").click()
    camera.keep("preview")
    camera.go(f"/patients/{grace.public_id}/letter/")
    camera.keep("letter")


def sheet(camera):
    camera.go("/consent/sheet/")
    camera.keep("sheet-start")
    camera.page.get_by_role("button", name="Start").first.click()
    camera.page.get_by_label("In person").check()
    camera.press("Use today’s date")
    for number in range(1, 6):
        answer = "Refuses" if number == 3 else "Consents"
        camera.page.locator(f"#row-{number}").get_by_label(answer).check()
        camera.page.locator(f"#row-{number} .nhsuk-tag", has_text="Consent").wait_for()
    guard_over(camera.page)
    camera.keep("sheet")


def bulk(camera, practice):
    camera.go("/")
    camera.keep("home-manager")
    camera.go("/patients/?decision=NONE&select=all")
    camera.press("Mark letter sent")
    camera.date(timezone.localdate())
    camera.page.get_by_label("Which letter").fill("Notice of autumn")
    camera.press("Check before you save")
    for patient in undecided(practice).order_by("-family_name")[:3]:
        decide(patient)
    camera.page.reload()
    camera.keep("bulk-check")
    camera.press("Mark letter sent for")
    run = practice.bulk_runs.latest("pk")
    bulk_runs.work(run.public_id, timezone.now)
    camera.go(f"/consent/bulk/{run.public_id}/")
    camera.keep("bulk-result")


def imports(camera, practice):
    people = list(undecided(practice).order_by("pk")[:40])
    rows = [decision(one, DECISION_DATE=f"{timezone.localdate():%d/%m/%Y}") for one in people]
    rows[3]["NHS_NUMBER"] = "9.99E+09"
    rows[7]["DATE_OF_BIRTH"] = "01/01/1901"
    refused = practice.patients.here().filter(consent_state="EXPRESS_DISSENT", is_sensitive=False).first()
    rows.append(decision(refused, DECISION_DATE=f"{timezone.localdate():%d/%m/%Y}"))
    camera.go("/imports/new/")
    camera.page.get_by_label("Decisions", exact=True).check()
    file = {"name": "forms-of-november.csv", "mimeType": "text/csv", "buffer": csv_of(rows).getvalue()}
    camera.page.locator("input[type=file]").set_input_files(file)
    camera.press("Upload and check")
    camera.keep("import")


def burst(practice):
    """Thirty refusals in five minutes, from a list, two weeks ago."""
    who, began = (
        User.objects.get(email="reception@demo.example"),
        timezone.now() - datetime.timedelta(days=14),
    )
    for step, patient in enumerate(undecided(practice).order_by("family_name")[20:50]):
        decide(
            patient,
            Preference.EXPRESS_DISSENT,
            by=who,
            at=began + datetime.timedelta(seconds=9 * step),
            source=Source.LETTER,
            reference="BMA",
        )


def refusals(camera):
    camera.go("/reports/refusals/")
    camera.keep("refusals")
    camera.page.get_by_role("link", name="See the evidence").first.click()
    camera.keep("burst")


def held(camera, grace):
    camera.as_("gp")
    camera.go(f"/patients/{grace.public_id}/")
    camera.keep("patient-held")
