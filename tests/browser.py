"""A real browser for tests: found on the machine, never downloaded, never online.

    from tests.browser import look  # the fixtures come by tests/functional/conftest.py

    def test_something(page, live_server, log_in, gp):
        log_in(gp)
        page.goto(live_server.url + "/")
        look(page, "home")

A story that has to hold without JavaScript too takes `screen` in place of `page`, and is told twice.

`page` fails its test if anything asked for another host, if the server broke, or if the browser
reported an error: a script that broke, a file that was missing, something the content security
policy forbade. A test that means to see an error page says so: `page.expected_statuses = {503}`.
"""

import functools
import os
import shutil
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from django.test import Client
from playwright.sync_api import expect, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "test-results"
LOOPBACK = {"localhost", "127.0.0.1", "::1"}
# No other host has an address. Asking each request by `route` instead would cost a third of each page's
# time, and switch the browser's cache off. What would be drawn by a GPU that is not there costs as much.
ARGUMENTS = [
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1, EXCLUDE ::1",
    "--disable-gpu",
]
# Everything up to WCAG 2.2 AA and axe's best practice. `region` is left out, as NHS services do:
# the skip link and the strip rightly stand outside the landmarks that it wants.
AXE_TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
AXE_OPTIONS = {
    "runOnly": {"type": "tag", "values": AXE_TAGS},
    "rules": {"region": {"enabled": False}},
    # Of what passed, it need not tell every place: that is most of its time on a page with a long list.
    "resultTypes": ["violations"],
    # Only a rule that is not among them reads style sheets.
    "preload": {"assets": ["media"]},
}
AXE = Axe().axe_script
DESKTOP, PHONE = 1280, 320
# A machine that does other things too is given time; only what never comes true takes all of it.
PATIENCE_MILLISECONDS = 10_000
expect.set_options(timeout=PATIENCE_MILLISECONDS)


def find_browser():
    """BROWSER, else one of the system, else an unpacked @sparticuz/chromium in a cache folder."""
    named = os.environ.get("BROWSER")
    if named:
        return named
    for name in ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable"):
        if path := shutil.which(name):
            return path
    for folder in (ROOT / ".cache" / "chromium", Path.home() / ".cache" / "care-record" / "chromium"):
        path = folder / "chromium"
        if path.is_file() and os.access(path, os.X_OK):
            return str(path)
    return None


@pytest.fixture(scope="module")
def browser():
    """One browser a module; a page of its own for each test.

    Not one a process: Playwright's event loop counts as running until it ends, and the tests of
    the sending, which may come next in the same process, run one of their own.
    """
    path = find_browser()
    if path is None:
        pytest.skip("No browser: set BROWSER, or install chromium. The page was not tested.")
    # Playwright drives the browser from an event loop; Django would refuse its tests' own queries.
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        yield from _launch(path)


def _launch(path):
    of_root = ["--no-sandbox", "--disable-dev-shm-usage"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=path, args=ARGUMENTS + of_root)
        yield started
        started.close()


@pytest.fixture(scope="module")
def contexts(browser):
    """A context for pages with and one for pages without JavaScript: making one costs as much as three pages."""

    @functools.cache
    def context(scripts):
        made = browser.new_context(
            viewport={"width": DESKTOP, "height": 900}, locale="en-GB", java_script_enabled=scripts
        )
        made.set_default_timeout(PATIENCE_MILLISECONDS)
        return made

    return context


@pytest.fixture
def page(contexts):
    yield from _page(contexts(True))


@pytest.fixture
def page_without_javascript(contexts):
    yield from _page(contexts(False), scripts=False)


@pytest.fixture(params=["with scripts", "without scripts"])
def screen(request, log_in):
    """A page of the browser, with and without JavaScript; `screen.as_(user)` logs in."""
    name = "page" if request.param == "with scripts" else "page_without_javascript"
    opened = request.getfixturevalue(name)
    opened.as_ = lambda user: log_in(user, opened)
    return opened


def _page(context, scripts=True):
    opened = context.new_page()
    opened.expected_statuses, opened.scripts = set(), scripts
    asked, faults = set(), []
    listeners = {
        "request": lambda request: asked.add(request.url),
        "response": lambda answer: _note_status(faults, answer, opened),
    }
    for event, listener in listeners.items():
        context.on(event, listener)
    opened.on("console", lambda line: _note(faults, line))
    opened.on("pageerror", lambda error: faults.append(str(error)))
    yield opened
    for event, listener in listeners.items():
        context.remove_listener(event, listener)
    _forget(context, {_origin(address) for address in asked})
    outside = [address for address in asked if _is_outside(address)]
    assert outside == [], "The page asked another host."
    assert faults == [], f"The browser reported errors: {faults}"


def _forget(context, origins):
    """As new for the next test: no page open, no cookie, nothing stored. Files that may be kept, are kept."""
    first, *others = context.pages
    session = context.new_cdp_session(first)
    for origin in origins:
        session.send("Storage.clearDataForOrigin", {"origin": origin, "storageTypes": "all"})
    context.clear_cookies()
    for each in (*others, first):
        each.close()


def _origin(address):
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}"


def _is_outside(address):
    parts = urlsplit(address)
    return parts.scheme not in {"data", "blob"} and parts.hostname not in LOOPBACK


def _note_status(faults, answer, opened):
    if answer.status >= 400 and answer.status not in opened.expected_statuses:
        faults.append(f"{answer.status} for {answer.url}")


def _note(faults, line):
    """Errors count, but for those about a status (the browser's, htmx's): `_note_status` judges it."""
    of_status = "the server responded with a status of", "Response Status Error Code"
    if line.type == "error" and not any(words in line.text for words in of_status):
        faults.append(f"{line.text} ({line.location.get('url')})")


@pytest.fixture
def log_in(request, live_server):
    """`log_in(user)`: puts the user's session into the browser, without the form."""

    def put(user, on=None):
        # Not a parameter: a story without scripts has no use for the page with them.
        on = on or request.getfixturevalue("page")
        client = Client()
        client.force_login(user)
        cookie = client.cookies[settings.SESSION_COOKIE_NAME].value
        on.context.add_cookies(
            [{"name": settings.SESSION_COOKIE_NAME, "value": cookie, "url": live_server.url}]
        )

    return put


def guard_over(page):
    """Waits until every form takes a press again: one that is still there does two seconds after its last."""
    expect(page.locator("form[data-care-sent]")).to_have_count(0)


def look(page, name):
    """Accessible, readable on a small phone, and pictures in test-results/ for people to look at."""
    axe(page)
    shot(page, name)
    with _at_width(page, PHONE):
        _fits(page, PHONE)
        shot(page, f"{name}-{PHONE}")


def axe(page):
    """Fails with one line for each accessibility fault: rule, why, where. It is a script itself, so a
    page without scripts is not looked at: the same story is told with them."""
    # After a press the new page may be readable before its styles are there.
    page.wait_for_load_state("load")
    if not page.scripts:
        return
    page.evaluate(AXE)
    found = page.evaluate("options => axe.run(options).then((told) => told.violations)", AXE_OPTIONS)
    lines = [f"{rule['id']}: {rule['help']}: {_where(rule)}" for rule in found]
    assert not lines, "\n".join(lines)


def _where(rule):
    return "; ".join(node["html"][:120] for node in rule["nodes"][:4])


def no_horizontal_scroll(page, width=PHONE):
    """Nothing but a table's own scrolling region may be wider than a small phone (WCAG 1.4.10)."""
    with _at_width(page, width):
        _fits(page, width)


@contextmanager
def _at_width(page, width):
    """The page as a window of this width shows it; afterwards the window is as it was."""
    before = page.viewport_size
    page.set_viewport_size({"width": width, "height": 800})
    yield
    page.set_viewport_size(before)


def _fits(page, width):
    # The menu folds itself up a moment after the window has changed.
    for _ in range(20):
        found = page.evaluate("document.documentElement.scrollWidth")
        if found <= width:
            break
        page.wait_for_timeout(50)
    assert found <= width, f"The page is {found} px wide at {width} px."


def shot(page, name, width=None):
    """A picture of the whole page in test-results/; `-plain` is the page without scripts.

    Only where PICTURES is set (`make e2e`): they are for people, and cost a sixth of a story's time.
    """
    if not os.environ.get("PICTURES"):
        return
    RESULTS.mkdir(exist_ok=True)
    if width is None:
        plain = "" if page.scripts else "-plain"
        page.screenshot(path=RESULTS / f"{name}{plain}.png", full_page=True)
        return
    with _at_width(page, width):
        shot(page, name)
