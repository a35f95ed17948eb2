"""The consent sheet in a browser: down the list by keyboard, without scripts, and when something fails."""

import datetime

import pytest
from django.conf import settings
from django.contrib.sessions.backends.db import SessionStore
from django.utils import timezone
from playwright.sync_api import expect

from carerecords.models import Patient, UploadJob
from config.session_limits import SEEN
from consent.codes import Preference
from consent.models import ConsentEvent, FormDraft, SheetRow
from tests.browser import axe, guard_over, look, no_horizontal_scroll
from tests.factories import decide
from tests.integration.consent.sheets import CORE, NO, START, make_people, make_sheet, page_of, states

pytestmark = pytest.mark.django_db(transaction=True)
PASSWORD = "three odd words here"


@pytest.fixture
def people(practice, gp):
    return make_people(practice, 25, usual_gp=gp)


@pytest.fixture
def sheet(gp, people):
    return make_sheet(gp, people)


@pytest.fixture
def told(sheet):
    """The sheet with its top filled in: in person, today."""
    today = timezone.localdate()
    date = {
        "decided_on_day": str(today.day),
        "decided_on_month": str(today.month),
        "decided_on_year": str(today.year),
    }
    sheet.typed = {"source": "IN_PERSON", "reference": ""} | date
    sheet.save()
    return sheet


def row(page, number):
    return page.locator(f"#row-{number}")


def press(page, *keys):
    for key in keys:
        page.keyboard.press(key)


def tab_to(page, name, most=40):
    for _ in range(most):
        page.keyboard.press("Tab")
        focused = page.evaluate("document.activeElement.name || document.activeElement.textContent.trim()")
        if name in focused:
            return
    raise AssertionError(f"Tab never reaches {name!r}.")


def events():
    return list(ConsentEvent.objects.order_by("patient").values_list("preference", "source", "decided_on"))


# --- Acceptance 1: ten decided with Tab, Space and Enter ------------------------------------------


def test_1_ten_are_decided_with_two_keys_each(page, live_server, log_in, gp, people):
    log_in(gp)
    page.goto(live_server.url + START)
    tab_to(page, "Start")
    press(page, "Enter")
    page.wait_for_url("**/consent/sheet/*-*/")
    tab_to(page, "source")
    press(page, "Space")
    tab_to(page, "today")
    press(page, "Enter")
    expect(page.get_by_label("Year")).to_have_value(str(timezone.localdate().year))
    expect(page.locator("[data-care-told]").first).to_contain_text("In person, ")
    tab_to(page, "answer-")
    keys = 0
    for _ in range(10):
        press(page, "Space", "Tab")
        keys += 2
        # Without waiting for any answer, the next patient has the focus.
        assert page.evaluate("document.activeElement.closest('tr').id") == f"row-{keys // 2 + 1}"
    expect(page.locator("[data-care-progress]").first).to_have_text("10 of 25 decided, 0 deferred")
    expect(page.locator("#care-announcement")).to_have_text("Consent recorded for PERSON010, Grace. Undo")
    today = timezone.localdate()
    assert events() == [(CORE, "IN_PERSON", today)] * 10
    guard_over(page)
    press(page, "Enter")
    expect(page.get_by_role("heading", name="10 decisions saved")).to_be_focused()
    expect(page.get_by_text("No decision", exact=True)).to_have_count(15)
    assert events() == [(CORE, "IN_PERSON", today)] * 10


def test_an_arrow_refuses(page, live_server, log_in, gp, told):
    log_in(gp)
    page.goto(live_server.url + page_of(told))
    page.locator("#rows").focus()
    press(page, "Tab", "ArrowRight", "Tab", "Space", "Tab")
    expect(row(page, 1).locator(".nhsuk-tag")).to_have_text("Consent refused")
    expect(row(page, 2).locator(".nhsuk-tag")).to_have_text("Consent given")
    assert states(told)[:3] == [NO, CORE, "NONE"]


@pytest.mark.parametrize("which", ["page", "page_without_javascript"])
def test_2_nobody_answered(request, which, live_server, log_in, gp, told):
    page = request.getfixturevalue(which)
    log_in(gp, page)
    page.goto(live_server.url + page_of(told))
    page.get_by_role("button", name="Save decisions").click()
    expect(page.get_by_role("alert")).to_contain_text("Select at least one decision")
    assert page.title().startswith("Error: ") and not events()
    if which == "page":
        look(page, "sheet-nothing-selected")


# --- Acceptance 4: the wrong patient --------------------------------------------------------------


def test_4_the_wrong_patient_is_undone_in_the_row(page, live_server, log_in, gp, told, people):
    log_in(gp)
    page.goto(live_server.url + page_of(told))
    row(page, 3).get_by_label("Consents").check()
    undo = row(page, 3).get_by_role("button", name="Undo the decision for PERSON003, Grace")
    # Two seconds long nothing in the row takes a press, and it keeps its place and its focus.
    expect(undo).to_have_attribute("aria-disabled", "true")
    undo.click(force=True)
    row(page, 3).get_by_label("Refuses").click(force=True)
    assert states(told)[2] == CORE
    expect(undo).not_to_have_attribute("aria-disabled", "true", timeout=4000)
    look(page, "sheet-row-saved")
    row(page, 3).get_by_label("Refuses").click(force=True)
    expect(page.locator("#care-announcement")).to_contain_text("Press Undo first")
    undo.click()
    expect(page.locator("#care-announcement")).to_contain_text("Decision undone for PERSON003, Grace.")
    expect(row(page, 3).get_by_label("Consents")).to_be_focused()
    expect(row(page, 3).get_by_label("Consents")).not_to_be_checked()
    assert states(told)[2] == "NONE"
    job = UploadJob.objects.get()
    assert (job.state, job.attempt) == ("CANCELLED", 0), "no upload ever left"
    assert ConsentEvent.objects.filter(patient=people[2]).count() == 2
    row(page, 3).get_by_label("Refuses").check()
    expect(row(page, 3).locator(".nhsuk-tag")).to_have_text("Consent refused")


# --- Something fails ------------------------------------------------------------------------------


def test_a_row_that_cannot_be_saved_says_so_and_the_button_saves_it_once(page, live_server, log_in, gp, told):
    log_in(gp)
    page.goto(live_server.url + page_of(told))
    page.expected_statuses = {503}
    page.route("**/rows/**", lambda route: route.fulfill(status=503, body="away"))
    row(page, 1).get_by_label("Consents").check()
    expect(row(page, 1)).to_contain_text("Not saved – press Save decisions")
    expect(row(page, 1).get_by_label("Consents")).to_be_checked()
    expect(row(page, 1).get_by_role("button", name="Defer")).to_be_visible()
    axe(page)
    # The next one is saved, and its answer is lost on the way.
    page.unroute("**/rows/**")
    page.route("**/rows/**", lambda route: (route.fetch(), route.fulfill(status=503, body="lost")))
    row(page, 2).get_by_label("Refuses").check()
    expect(row(page, 2)).to_contain_text("Not saved – press Save decisions")
    assert states(told)[:2] == ["NONE", NO]
    page.get_by_role("button", name="Save decisions").click()
    expect(page.get_by_role("heading", name="2 decisions saved")).to_be_focused()
    assert states(told)[:3] == [CORE, NO, "NONE"] and len(events()) == 2
    look(page, "sheet-result")


def test_a_server_that_does_not_answer_is_given_two_seconds(page, live_server, log_in, gp, told):
    log_in(gp)
    page.goto(live_server.url + page_of(told))
    page.route("**/rows/**", lambda route: None)
    row(page, 1).get_by_label("Consents").check()
    expect(row(page, 1)).to_contain_text("Not saved – press Save decisions", timeout=4000)
    page.unroute("**/rows/**")


def test_without_a_source_nothing_is_saved_and_it_is_said(page, live_server, log_in, gp, sheet):
    log_in(gp)
    page.goto(live_server.url + page_of(sheet))
    page.expected_statuses = {400}
    row(page, 4).get_by_label("Consents").check()
    expect(row(page, 4)).to_contain_text("Not saved – press Save decisions")
    expect(page.locator("#care-announcement")).to_have_text("Not saved. Select how patients told you.")
    page.get_by_role("button", name="Save decisions").click()
    expect(page.get_by_role("alert")).to_contain_text("Select how patients told you")
    expect(page.get_by_role("alert")).to_contain_text("Enter the date of decision")
    expect(row(page, 4).get_by_label("Consents")).to_be_checked()
    assert not events()
    look(page, "sheet-errors")


def test_somebody_else_was_first(page, live_server, log_in, gp, staff, told, people):
    log_in(gp)
    page.goto(live_server.url + page_of(told))
    decide(people[0], Preference.EXPRESS_DISSENT, by=staff)
    decide(people[1], Preference.EXPRESS_DISSENT, by=staff)
    page.expected_statuses = {409}
    row(page, 1).get_by_label("Consents").check()
    said = f"Decision for PERSON001, Grace was changed by {staff.short_name} at"
    expect(row(page, 1)).to_contain_text(said)
    expect(row(page, 1)).to_contain_text("Your answer was: Consents")
    page.route(
        "**/rows/**", lambda route: route.fulfill(status=409, json={"state": "unsaved", "say": "Later"})
    )
    row(page, 2).get_by_label("Consents").check()
    row(page, 3).get_by_label("Consents").check()
    page.get_by_role("button", name="Save decisions").click()
    expect(page.get_by_role("heading", name="1 of 2 decisions saved")).to_be_focused()
    expect(page.get_by_role("heading", name="Decision for PERSON002, Grace was changed by")).to_be_visible()
    assert states(told)[:3] == [NO, NO, CORE]
    look(page, "sheet-changed")


def test_a_double_press_saves_once(page_without_javascript, live_server, log_in, gp, told):
    """Both presses reach the server: there is no script to stop the second."""
    page = page_without_javascript
    log_in(gp, page)
    page.goto(live_server.url + page_of(told))
    for number in (1, 2, 3):
        row(page, number).get_by_label("Consents").check()
    page.get_by_role("button", name="Save decisions").dblclick()
    expect(page.get_by_role("heading", name="3 decisions saved")).to_be_visible()
    assert len(events()) == 3


# --- Acceptance 24: without scripts, on a small phone ---------------------------------------------


def test_24_the_sheet_without_scripts_on_a_small_phone(
    page_without_javascript, live_server, log_in, gp, people
):
    page = page_without_javascript
    log_in(gp, page)
    page.set_viewport_size({"width": 320, "height": 640})
    page.goto(live_server.url + START)
    page.get_by_role("button", name="Start").first.click()
    page.get_by_label("In person").check()
    row(page, 1).get_by_label("Consents").check()
    page.get_by_role("button", name="Use today’s date").click()
    expect(row(page, 1).get_by_label("Consents")).to_be_checked()
    for number in range(2, 11):
        row(page, number).get_by_label("Consents").check()
    no_horizontal_scroll(page)
    row(page, 11).get_by_role("button", name="Defer").click()
    no_horizontal_scroll(page)
    page.get_by_role("button", name="Defer").click()
    expect(page.get_by_role("alert")).to_contain_text("Select why this decision is put off")
    page.get_by_label("The patient asked for more time").check()
    page.get_by_label("In 4 weeks").check()
    page.get_by_role("button", name="Defer").click()
    expect(page.get_by_text("10 answers chosen and not saved yet.")).to_be_visible()
    page.get_by_role("button", name="Save decisions").click()
    expect(page.get_by_role("heading", name="10 decisions saved")).to_be_visible()
    expect(page.get_by_text("10 of 25 decided, 1 deferred").first).to_be_visible()
    no_horizontal_scroll(page)
    assert events() == [(CORE, "IN_PERSON", timezone.localdate())] * 10
    page.locator("section", has_text="10 decisions saved").get_by_role("button", name="Undo").nth(3).click()
    expect(page.get_by_text("Decision undone for PERSON004, Grace.")).to_be_visible()
    expect(page.get_by_role("heading", name="9 decisions saved")).to_be_visible()
    assert Patient.objects.filter(consent_state=CORE).count() == 9
    assert UploadJob.objects.filter(state="CANCELLED", attempt=0).count() == 1
    page.goto(f"{live_server.url}/patients/{people[3].public_id}/")
    expect(page.get_by_text("Decision undone", exact=True)).to_be_visible()
    expect(page.locator("s", has_text="Express consent for medication")).to_be_visible()
    no_horizontal_scroll(page)


# --- Acceptance 7: the session dies ---------------------------------------------------------------


def age_session(page):
    """As if nobody had clicked for 16 minutes."""
    cookie = next(one for one in page.context.cookies() if one["name"] == settings.SESSION_COOKIE_NAME)
    store = SessionStore(cookie["value"])
    store[SEEN] = (timezone.now() - datetime.timedelta(minutes=16)).isoformat()
    store.save()


def log_in_again(page, user):
    page.get_by_label("Email address").fill(user.email)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()


@pytest.fixture
def gp_with_password(gp):
    gp.set_password(PASSWORD)
    gp.save()
    return gp


@pytest.mark.parametrize("how", ["script", "script, session gone", "no script"])
def test_7_the_session_dies_in_the_middle_of_a_note(
    request, how, live_server, log_in, gp_with_password, people
):
    page = request.getfixturevalue("page_without_javascript" if how == "no script" else "page")
    log_in(gp_with_password, page)
    address = f"{live_server.url}/patients/{people[0].public_id}/"
    page.goto(address)
    page.get_by_label("Note (optional)").fill("Wants to ask her daughter")
    if how != "no script":
        expect_until(FormDraft.objects.exists, page)
    if how == "script, session gone":
        page.context.clear_cookies(name=settings.SESSION_COOKIE_NAME)
    else:
        age_session(page)
    page.get_by_role("button", name="Save decision").click()
    if how != "script, session gone":
        expect(page.get_by_text("Your unsaved answers are kept.")).to_be_visible()
    log_in_again(page, gp_with_password)
    assert page.url.split("#")[0] == address
    expect(page.get_by_label("Note (optional)")).to_have_value("Wants to ask her daughter")
    expect(page.get_by_text("They are not saved yet.")).to_be_visible()
    assert not events()
    if how == "script":
        look(page, "patient-kept-answers")


def expect_until(true, page):
    for _ in range(60):
        if true():
            return
        page.wait_for_timeout(50)
    raise AssertionError("It never became true.")


@pytest.mark.parametrize("which", ["page", "page_without_javascript"])
def test_the_session_dies_in_the_middle_of_a_sheet(
    request, which, live_server, log_in, gp_with_password, told
):
    page = request.getfixturevalue(which)
    log_in(gp_with_password, page)
    page.goto(live_server.url + page_of(told))
    age_session(page)
    row(page, 2).get_by_label("Refuses").check()
    if which == "page":
        expect(row(page, 2)).to_contain_text("Not saved – press Save decisions")
    page.get_by_role("button", name="Save decisions").click()
    log_in_again(page, gp_with_password)
    assert page.url == live_server.url + page_of(told)
    expect(row(page, 2).get_by_label("Refuses")).to_be_checked()
    expect(page.get_by_text("1 answer chosen and not saved yet.")).to_be_visible()
    assert not events() and SheetRow.objects.exclude(answer="").count() == 1
    page.get_by_role("button", name="Save decisions").click()
    expect(page.get_by_role("heading", name="1 decision saved")).to_be_visible()
    assert states(told)[1] == NO


def test_what_stands_at_the_top_is_kept_while_it_is_typed(page, live_server, log_in, gp, sheet):
    log_in(gp)
    page.goto(live_server.url + page_of(sheet))
    page.get_by_label("By letter").check()
    page.get_by_label("Letter or form reference").fill("B 17")
    for box, number in (("Day", 3), ("Month", 3), ("Year", 2026)):
        page.get_by_label(box).fill(str(number))
    page.get_by_label("Year").blur()
    expect(page.locator("[data-care-told]").first).to_have_text("By letter, 3 March 2026")
    expect_until(lambda: type(sheet).objects.get().typed.get("decided_on_year") == "2026", page)
    page.goto(live_server.url + page_of(sheet))
    expect(page.get_by_label("Letter or form reference")).to_have_value("B 17")
    expect(page.locator("[data-care-told]").first).to_have_text("By letter, 3 March 2026")


# --- Looks ----------------------------------------------------------------------------------------


def test_looks(page, live_server, log_in, gp, told, people):
    Patient.objects.filter(pk=people[4].pk).update(
        family_name="Featherstonehaugh-Cholmondeley", is_sensitive=True
    )
    log_in(gp)
    page.goto(live_server.url + START)
    look(page, "sheet-start")
    page.get_by_role("form", name="Today’s surgery list").get_by_role("button").click()
    look(page, "sheet-start-error")
    page.goto(live_server.url + page_of(told))
    look(page, "sheet")
    row(page, 1).get_by_role("button", name="Defer").click()
    look(page, "sheet-defer")
    last = make_sheet(gp, people[10:11])
    last.typed = told.typed
    last.save()
    page.goto(live_server.url + page_of(last))
    row(page, 1).get_by_label("Consents").check()
    expect(row(page, 1).locator(".nhsuk-tag")).to_have_text("Consent given")
    page.reload()
    expect(page.get_by_text("This sheet is finished.")).to_be_visible()
    look(page, "sheet-finished")


def test_a_sheet_of_a_hundred_is_light(page, live_server, log_in, gp, practice):
    log_in(gp)
    sheet = make_sheet(gp, make_people(practice, 100))
    page.goto(live_server.url + page_of(sheet))
    assert page.evaluate("document.querySelectorAll('*').length") <= 2_500
