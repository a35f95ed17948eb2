"""The components in a browser: accessible, readable on a small phone, within the budget."""

import gzip

import pytest

from tests.browser import axe, look, shot

pytestmark = [pytest.mark.urls("tests.functional.gallery"), pytest.mark.django_db(transaction=True)]


@pytest.mark.parametrize("query", ["", "?errors", "?flash", "?died"])
def test_all_components(page, live_server, log_in, gp, query):
    log_in(gp)
    page.goto(f"{live_server.url}/{query}")
    look(page, f"components{query.replace('?', '-')}")


@pytest.mark.parametrize("state", ["off", "on_not_followed", "scheduled", "conflict", "stop"])
def test_every_state_of_the_strip(page, live_server, state):
    page.goto(f"{live_server.url}/?strip={state}")
    assert page.get_by_role("region", name="Upload policy").first.is_visible()
    axe(page)
    shot(page, f"strip-{state}")


def test_without_javascript(page_without_javascript, live_server):
    page_without_javascript.goto(f"{live_server.url}/?errors")
    assert page_without_javascript.title().startswith("Error: Components - ")
    assert page_without_javascript.get_by_role("link", name="Uploads").first.is_visible()
    shot(page_without_javascript, "components-no-javascript")


def test_error_links_lead_to_the_first_box_at_fault(page, live_server):
    page.goto(f"{live_server.url}/?errors")
    page.get_by_role("link", name="Date of decision must be a real date").click()
    assert page.evaluate("document.activeElement.id") == "id_decided_on-day"
    page.get_by_role("link", name="Select what the patient decided").click()
    assert page.evaluate("document.activeElement.id") == "id_preference"


def test_a_page_with_errors_begins_at_their_summary(page, live_server):
    page.goto(f"{live_server.url}/?errors")
    page.locator(".nhsuk-error-summary:focus").wait_for()


def test_the_banner_hides_no_focus(page, live_server):
    """Tabbing backwards up the page, each focused control is wholly below the sticky banner."""
    page.goto(live_server.url)
    page.locator("#id_note").focus()
    for _ in range(12):
        page.keyboard.press("Shift+Tab")
        covered = page.evaluate(
            """() => {
                const banner = document.querySelector('.care-banner').getBoundingClientRect();
                const box = document.activeElement.getBoundingClientRect();
                return box.top < banner.bottom && !document.activeElement.closest('.care-banner');
            }"""
        )
        assert not covered


def test_a_second_press_within_two_seconds_sends_nothing(page, live_server):
    page.goto(live_server.url)
    sent = []
    page.on("request", lambda request: sent.append(request.url) if request.method == "POST" else None)
    page.evaluate("document.addEventListener('submit', event => event.preventDefault())")
    held = page.evaluate(
        """() => {
            const button = [...document.querySelectorAll('button')].find(b => b.textContent === 'Save decision');
            const seen = [];
            document.addEventListener('submit', event => seen.push(event.defaultPrevented));
            const first = new SubmitEvent('submit', {submitter: button, bubbles: true, cancelable: true});
            button.form.dispatchEvent(first);
            return [button.getAttribute('aria-disabled'), button.form.dataset.careSent];
        }"""
    )
    assert held == ["true", "yes"]
    page.locator("[aria-disabled]").wait_for(state="detached")
    assert sent == []


def test_first_visit_is_within_the_budget(page, live_server):
    sizes = []
    page.on("response", lambda response: sizes.append((response.url, len(gzip.compress(response.body())))))
    page.goto(f"{live_server.url}/log-in/", wait_until="networkidle")
    assert len(sizes) <= 6, [url for url, _ in sizes]
    assert sum(size for _, size in sizes) <= 90 * 1024, sizes


def test_print_has_the_strip_and_no_navigation(page, live_server):
    page.goto(live_server.url)
    page.emulate_media(media="print")
    assert page.get_by_role("region", name="Upload policy").first.is_visible()
    assert not page.get_by_role("navigation", name="Menu").is_visible()
    shot(page, "components-print", 800)


def test_a_part_replaced_is_announced_and_takes_the_focus(page, live_server):
    page.goto(f"{live_server.url}/swaps/")
    page.get_by_role("button", name="Save", exact=True).click()
    page.locator("#row p:focus").wait_for()
    announced = page.get_by_role("status").filter(has_text="Consent recorded for ADEYEMI, Grace.")
    announced.wait_for(state="attached")
    # A script inside an answer is not run, and no page is kept in the browser's store.
    assert page.title() != "ran"
    kept = page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}])")
    assert "ADEYEMI" not in kept
    assert "history-cache" not in kept


def test_a_part_replaced_under_the_focus_keeps_it(page, live_server):
    page.goto(f"{live_server.url}/swaps/")
    page.get_by_role("button", name="Save again").press("Enter")
    page.locator("#other button:not([hx-post]):focus").wait_for()


def test_a_part_that_could_not_be_saved_says_so(page, live_server):
    page.expected_statuses = {500}
    page.goto(f"{live_server.url}/swaps/")
    page.get_by_role("button", name="Save in vain").click()
    page.get_by_role("status").filter(has_text="Not saved.").wait_for(state="attached")
    assert page.get_by_role("button", name="Save in vain").is_visible()
