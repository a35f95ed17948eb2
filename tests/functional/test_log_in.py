"""Logging in, being warned, logging out, with and without JavaScript."""

import pytest

from tests.browser import axe, no_horizontal_scroll, shot

pytestmark = pytest.mark.django_db(transaction=True)
PASSWORD = "three odd words here"


@pytest.fixture
def gp_with_password(gp):
    gp.set_password(PASSWORD)
    gp.save()
    return gp


def fill_in(page, live_server, email, password):
    page.goto(f"{live_server.url}/account/")
    page.get_by_label("Email address").fill(email)
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_role("button", name="Log in").click()


@pytest.mark.parametrize("which", ["page", "page_without_javascript"])
def test_log_in_and_out(request, live_server, gp_with_password, which):
    page = request.getfixturevalue(which)
    fill_in(page, live_server, gp_with_password.email, PASSWORD)
    assert page.title() == "Your account - Care record upload consent"
    page.get_by_role("button", name="Log out").click()
    assert page.title() == "Log in - Care record upload consent"


def test_by_keyboard_alone(page, live_server, gp_with_password):
    page.goto(f"{live_server.url}/account/")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent").strip() == "Skip to main content"
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.type(gp_with_password.email)
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url("**/account/")


def test_the_log_in_page(page, live_server):
    page.goto(f"{live_server.url}/log-in/")
    axe(page)
    no_horizontal_scroll(page)
    shot(page, "log-in")


def test_errors(page, live_server, gp_with_password):
    fill_in(page, live_server, gp_with_password.email, "wrong")
    assert page.title().startswith("Error: Log in")
    assert page.get_by_label("Email address").input_value() == gp_with_password.email
    axe(page)
    shot(page, "log-in-error")


def test_too_many_tries(page, live_server, gp_with_password):
    page.expected_statuses = {429}
    for _ in range(5):
        fill_in(page, live_server, gp_with_password.email, "wrong")
    assert "Too many tries. Try again after" in page.get_by_role("alert").inner_text()
    axe(page)
    shot(page, "log-in-locked")


@pytest.mark.parametrize("path", ["account/", "account/password/", "account/second-factor/", "log-out/"])
def test_account_pages(page, live_server, log_in, gp_with_password, path):
    log_in(gp_with_password)
    page.goto(f"{live_server.url}/{path}")
    axe(page)
    no_horizontal_scroll(page)
    shot(page, path.strip("/").replace("/", "-"))


def test_adding_a_second_factor(page, live_server, gp_with_password):
    fill_in(page, live_server, gp_with_password.email, PASSWORD)
    page.goto(f"{live_server.url}/account/second-factor/totp/activate/")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Continue").click()
    page.get_by_role("heading", name="Add an authenticator app").wait_for()
    axe(page)
    no_horizontal_scroll(page)
    shot(page, "second-factor-add")


def test_the_warning_before_the_idle_log_out(page, live_server, log_in, gp):
    log_in(gp)
    page.clock.install()
    page.goto(f"{live_server.url}/account/")
    page.clock.fast_forward("12:00")
    assert not page.get_by_role("dialog").is_visible()
    page.clock.fast_forward("01:30")
    page.get_by_role("dialog", name="You will be logged out soon").wait_for()
    axe(page)
    shot(page, "idle-warning")
    with page.expect_response("**/account/stay/"):
        page.get_by_role("button", name="Stay logged in").click()
    page.get_by_role("dialog").wait_for(state="detached")
    page.clock.fast_forward("12:00")
    assert not page.get_by_role("dialog").is_visible()


def test_no_patient_stays_on_the_screen_of_who_left(page, live_server, log_in, gp):
    log_in(gp)
    page.clock.install()
    page.goto(f"{live_server.url}/account/")
    with page.expect_navigation():
        page.clock.fast_forward("16:00")
