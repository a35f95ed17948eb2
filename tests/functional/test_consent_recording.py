"""Recording and undoing in a browser: with and without scripts, by keyboard alone, on a small phone."""

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from carerecords.models import Patient
from consent.codes import Preference
from consent.models import ConsentEvent
from tests.browser import axe, guard_over, no_horizontal_scroll
from tests.factories import decide, make_patient

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def people(practice, gp):
    return {name: make_patient(practice, family_name=name, usual_gp=gp) for name in ("Adeyemi", "Brown")}


def state_of(patient):
    return Patient.objects.get(pk=patient.pk).consent_state


def row(page, name):
    return page.locator("tbody", has_text=f"{name.upper()}, Grace")


def fill_in(form, preference="Consents: core only", source="In person"):
    today = timezone.localdate()
    form.get_by_label(preference).check()
    form.get_by_label(source, exact=True).check()
    for box, number in (("Day", today.day), ("Month", today.month), ("Year", today.year)):
        form.get_by_label(box).fill(str(number))


def test_record_and_undo_in_the_list_without_leaving_it(page, live_server, log_in, gp, people):
    log_in(gp)
    page.goto(f"{live_server.url}/patients/")
    page.evaluate("window.stayed = true")
    page.get_by_role("link", name="Record decision for ADEYEMI").click()
    form = row(page, "Adeyemi").get_by_role("form", name="Decision for ADEYEMI")
    fill_in(form)
    form.get_by_role("button", name="Save decision").click()
    said = row(page, "Adeyemi").locator(".care-said")
    expect(said).to_contain_text("Consent given recorded for ADEYEMI, Grace. Uploads wait until")
    expect(said).to_be_focused()
    expect(page.locator("#care-announcement")).to_contain_text("Consent given recorded for ADEYEMI")
    expect(row(page, "Adeyemi").locator(".nhsuk-tag").first).to_have_text("Consent given")
    expect(row(page, "Brown").locator(".nhsuk-tag").first).to_have_text("No decision")
    assert state_of(people["Adeyemi"]) == "EXPRESS_CORE"
    axe(page)

    said.get_by_role("button", name="Undo").click()
    expect(said).to_contain_text("Decision undone for ADEYEMI, Grace. Nothing is uploaded until")
    expect(row(page, "Adeyemi").locator(".nhsuk-tag").first).to_have_text("No decision")
    assert state_of(people["Adeyemi"]) == "NONE" and page.evaluate("window.stayed")


def test_additional_information_is_asked_once_more_within_the_row(page, live_server, log_in, gp, people):
    log_in(gp)
    page.goto(f"{live_server.url}/patients/")
    page.get_by_role("link", name="Record decision for BROWN").click()
    fill_in(row(page, "Brown"), "Consents: core and additional")
    row(page, "Brown").get_by_role("button", name="Save decision").click()
    heading = page.get_by_role("heading", name="Check and confirm the decision for BROWN, Grace")
    expect(heading).to_be_focused()
    assert state_of(people["Brown"]) == "NONE"
    axe(page)
    no_horizontal_scroll(page)
    page.get_by_role("button", name="Confirm and save").click()
    expect(row(page, "Brown").locator(".care-said")).to_contain_text("with additional information, recorded")
    assert state_of(people["Brown"]) == "EXPRESS_ADDITIONAL"


def test_record_and_undo_on_the_patient_page(page, live_server, log_in, gp, people):
    log_in(gp)
    page.goto(f"{live_server.url}/patients/")
    page.get_by_role("link", name="ADEYEMI, Grace").first.click()
    fill_in(page.locator("#decision"), "Refuses", "By phone")
    page.get_by_label("Note (optional)").fill("Rang on Monday")
    page.get_by_role("button", name="Save decision").click()
    expect(page.get_by_role("alert")).to_contain_text("Consent refused recorded for ADEYEMI, Grace.")
    assert state_of(people["Adeyemi"]) == "EXPRESS_DISSENT"
    page.get_by_role("alert").get_by_role("button", name="Undo").click()
    expect(page.get_by_role("alert")).to_contain_text("Decision undone for ADEYEMI, Grace.")
    page.get_by_role("link", name="ADEYEMI, Grace").first.click()
    expect(page.get_by_text("Decision undone", exact=True)).to_be_visible()
    expect(page.locator("s", has_text="Express dissent (opt out)")).to_be_visible()
    assert state_of(people["Adeyemi"]) == "NONE"
    axe(page)


def test_record_and_undo_without_scripts(page_without_javascript, live_server, log_in, gp, people):
    page = page_without_javascript
    log_in(gp, page)
    page.goto(f"{live_server.url}/patients/?sort=decided")
    page.get_by_role("link", name="Record decision for BROWN").click()
    decision = page.locator("#decision")
    decision.get_by_label("Consents: core only").check()
    decision.get_by_label("By letter").check()
    page.get_by_role("button", name="Use today’s date").click()
    expect(page.get_by_label("Year")).to_have_value(str(timezone.localdate().year))
    page.get_by_role("button", name="Save decision").click()
    expect(page.get_by_role("alert")).to_contain_text("Enter a letter or form reference")
    expect(page.get_by_label("By letter")).to_be_checked()
    page.get_by_label("Letter or form reference").fill("L-17")
    page.get_by_role("button", name="Save decision").click()
    expect(page.get_by_text("Consent given recorded for BROWN, Grace.")).to_be_visible()
    assert page.url.endswith(f"/patients/?sort=decided#patient-{people['Brown'].public_id}")
    assert state_of(people["Brown"]) == "EXPRESS_CORE"
    page.get_by_role("button", name="Undo").first.click()
    expect(page.get_by_text("Decision undone for BROWN, Grace.")).to_be_visible()
    assert state_of(people["Brown"]) == "NONE"


def test_find_and_filter_without_scripts(page_without_javascript, live_server, log_in, gp, people):
    page = page_without_javascript
    log_in(gp, page)
    decide(people["Brown"], Preference.EXPRESS_DISSENT, by=gp)
    page.goto(f"{live_server.url}/patients/")
    expect(page.get_by_label("Decision", exact=True)).to_be_hidden()
    page.locator("summary", has_text="Filters").click()
    page.get_by_label("Decision", exact=True).select_option("Consent refused")
    page.get_by_role("button", name="Update results").click()
    expect(page.get_by_text("1 of 2 patients. Decision: Consent refused.")).to_be_visible()
    expect(page.get_by_label("Decision", exact=True)).to_be_visible()
    page.get_by_role("link", name="Remove filter Decision: Consent refused").click()
    expect(page.get_by_text("2 of 2 patients.")).to_be_visible()
    page.get_by_label("Find a patient").fill("adey")
    page.get_by_role("button", name="Search").click()
    expect(page.locator("tbody")).to_have_count(1)
    page.get_by_label("Find a patient").fill(people["Brown"].nhs_number)
    page.get_by_role("button", name="Search").click()
    expect(page.get_by_role("heading", name="Consent and uploads")).to_be_visible()


def focused(page):
    """The name of the focused field, or the words of the focused link or button."""
    words = page.evaluate("document.activeElement.name || document.activeElement.textContent")
    return " ".join(words.split())


def tab_to(page, wanted, most=40):
    """Presses Tab until the focused element says what is wanted; nothing is clicked."""
    for _ in range(most):
        page.keyboard.press("Tab")
        if wanted in focused(page):
            return
    raise AssertionError(f"Tab never reaches {wanted!r}; it stands on {focused(page)}.")


def test_record_and_undo_by_keyboard_alone(page, live_server, log_in, gp, people):
    log_in(gp)
    page.goto(f"{live_server.url}/patients/")
    tab_to(page, "Skip to results", 2)
    page.keyboard.press("Enter")
    tab_to(page, "Record decision for ADEYEMI")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Decision for ADEYEMI")).to_be_focused()
    tab_to(page, "preference", 2)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    tab_to(page, "source", 2)
    page.keyboard.press("Space")
    tab_to(page, "decided_on_day", 2)
    today = timezone.localdate()
    page.keyboard.type(str(today.day))
    page.keyboard.press("Tab")
    page.keyboard.type(str(today.month))
    page.keyboard.press("Tab")
    page.keyboard.type(str(today.year))
    page.keyboard.press("Enter")
    said = row(page, "Adeyemi").locator(".care-said")
    expect(said).to_be_focused()
    event = ConsentEvent.objects.get()
    assert (event.preference, event.source, event.decided_on) == ("EXPRESS_DISSENT", "IN_PERSON", today)
    tab_to(page, "Undo", 2)
    page.keyboard.press("Enter")
    expect(said).to_contain_text("Decision undone")
    assert state_of(people["Adeyemi"]) == "NONE"


def test_the_whole_way_on_a_phone_of_320_pixels(page, live_server, log_in, gp, people):
    log_in(gp)
    page.set_viewport_size({"width": 320, "height": 640})
    page.goto(f"{live_server.url}/patients/")
    no_horizontal_scroll(page)
    page.locator("summary", has_text="Filters").click()
    axe(page)
    no_horizontal_scroll(page)
    page.locator("summary", has_text="Filters").click()
    page.get_by_role("link", name="Record decision for BROWN").click()
    fill_in(row(page, "Brown"))
    no_horizontal_scroll(page)
    row(page, "Brown").get_by_role("button", name="Save decision").click()
    expect(row(page, "Brown").locator(".care-said")).to_contain_text("Consent given recorded")
    no_horizontal_scroll(page)
    page.get_by_role("link", name="BROWN, Grace").first.click()
    expect(page.get_by_role("heading", name="Current decision")).to_be_visible()
    no_horizontal_scroll(page)


def test_neither_page_scrolls_sideways_on_a_tablet(page, live_server, log_in, gp, practice, people):
    """Where all columns stand beside one another for the first time, with the longest of names."""
    long = make_patient(practice, family_name="Featherstonehaugh-Cholmondeleyworth", usual_gp=gp)
    decide(long, Preference.EXPRESS_DISSENT, by=gp)
    log_in(gp)
    for address in ("/patients/", f"/patients/{long.public_id}/"):
        page.goto(live_server.url + address)
        no_horizontal_scroll(page, 769)
        no_horizontal_scroll(page, 1025)


def test_the_first_patients_stand_on_the_first_screen(page, live_server, log_in, gp, people):
    log_in(gp)
    page.goto(f"{live_server.url}/patients/")
    first = page.get_by_role("link", name="ADEYEMI, Grace (Ms)").bounding_box()
    assert first["y"] + first["height"] < 900


def test_a_button_pressed_twice_saves_once(page, live_server, log_in, gp, people):
    log_in(gp)
    page.goto(f"{live_server.url}/patients/{people['Adeyemi'].public_id}/")
    fill_in(page.locator("#decision"))
    page.get_by_role("button", name="Save decision").dblclick()
    expect(page.get_by_role("alert")).to_contain_text("Consent given recorded")
    assert ConsentEvent.objects.count() == 1


def test_a_server_that_refuses_is_told_and_the_answers_stay(page, live_server, log_in, gp, people):
    """The row stays as it was filled in, nothing is said to be saved, and the same form works later."""
    log_in(gp)
    page.goto(f"{live_server.url}/patients/")
    page.get_by_role("link", name="Record decision for BROWN").click()
    fill_in(row(page, "Brown"))
    page.expected_statuses = {503}
    page.route("**/consent/new/", lambda route: route.fulfill(status=503, body="away"))
    row(page, "Brown").get_by_role("button", name="Save decision").click()
    expect(page.locator("#care-announcement")).to_have_text("Not saved. Press the save button to try again.")
    expect(row(page, "Brown").get_by_label("Consents: core only")).to_be_checked()
    page.unroute("**/consent/new/")
    guard_over(page)
    row(page, "Brown").get_by_role("button", name="Save decision").click()
    expect(row(page, "Brown").locator(".care-said")).to_contain_text("Consent given recorded")
    assert state_of(people["Brown"]) == "EXPRESS_CORE"
