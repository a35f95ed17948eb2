"""The pages: what a person sees, and what they must not let through."""

import json
import re
from urllib.parse import urlencode

import pytest

from tests.contracts.calls import blank, bundle, new_id
from tests.localstore_process import fresh_nhs_number


def page(store, path):
    answer = store.anywhere("GET", path)
    assert answer.status == 200
    return answer.body.decode()


def find(store, text):
    form = urlencode({"nhs_number": text}).encode()
    return store.anywhere("POST", "/find", form, Content_Type="application/x-www-form-urlencoded")


def test_the_first_page(store):
    store.upload(bundle(fresh_nhs_number(), new_id()))
    html = page(store, "/")
    assert "Local store – made-up patients only" in html
    for label in ("Accepted", "Refused", "Blank summaries accepted", "Patients with a summary now"):
        assert f"<dt>{label}</dt>" in html
    assert not re.search(r"<script|\son\w+=|style=|(?:src|href|action)=\W?https?:|url\(", html)


def test_nothing_from_elsewhere_is_allowed(store):
    policy = store.anywhere("GET", "/").headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; style-src 'self'; form-action 'self'")
    assert store.anywhere("GET", "/page.css").headers["Content-Type"].startswith("text/css")


def test_a_patient_is_found_without_the_number_in_an_address(store):
    number = fresh_nhs_number()
    store.upload(bundle(number, new_id()))
    answer = find(store, f" {number[:3]} {number[3:6]}-{number[6:]} ")
    assert answer.status == 303
    assert re.fullmatch(r"/lines/\d+", answer.headers["Location"])
    html = page(store, answer.headers["Location"])
    assert f"{number[:3]}\u00a0{number[3:6]}\u00a0{number[6:]}" in html
    assert number not in re.findall(r'(?:href|action)="([^"]*)"', html)


@pytest.mark.parametrize(
    "text",
    ["", "12", "x" * 100, "<b>", fresh_nhs_number()],
    ids=["empty", "short", "long", "markup", "unknown"],
)
def test_a_number_that_leads_nowhere(store, text):
    answer = find(store, text)
    html = answer.body.decode()
    assert answer.status == 400
    assert 'id="nhs_number_error"' in html
    assert "<title>Error: " in html
    assert "<b>" not in html


def test_a_dissent_is_seen_to_have_blanked_the_record(store):
    number, first, second = fresh_nhs_number(), new_id(), new_id()
    start = store.last_sequence()
    store.upload(bundle(number, first))
    store.upload(blank(number, second, first))
    store.set_permission(number, "No")
    now = page(store, f"/lines/{start + 3}")
    assert "This summary is blank: it holds no clinical information." in now
    assert "No: the patient has opted out" in now
    assert "Allergies" not in now
    before = page(store, f"/lines/{start + 1}")
    assert "This is not what a reader gets today." in before
    assert "Allergies and Adverse Reactions" in before
    assert "Sensitivity to ACICLOVIR" in before


def test_a_text_sent_by_somebody_else_cannot_act(store):
    made = bundle(fresh_nhs_number(), new_id())
    section = made["entry"][0]["resource"]["section"][1]
    section["title"] = "<img src=x onerror=alert(1)>"
    section["text"]["div"] = (
        '<div onclick="a()"><script>bad()</script><p style="x" onmouseover="b()">kept'
        '<a href="javascript:c()">word</a><iframe src="http://example.org/"></iframe></p>'
        '<table><tr><td colspan="2" onclick="d()">&lt;script&gt;</td></tr></table></div>'
    )
    start = store.last_sequence()
    assert store.upload(made).status == 201
    html = page(store, f"/lines/{start + 1}")
    shown = html[html.index('<h2 id="summary"') : html.index("Everything about")]
    assert "<p>keptword</p>" in shown
    assert '<td colspan="2">&lt;script&gt;</td>' in shown
    assert not re.search(r"<(script|img|iframe|a )|onclick|onmouse|bad\(\)", shown)


def test_filters_and_older_lines(store):
    for _ in range(30):
        store.find(fresh_nhs_number())
    newest = page(store, "/?outcome=read&kind=find")
    assert "Search for a summary" in newest
    assert 'class="tag accepted"' not in newest
    older = re.search(r'href="(/\?outcome=read&amp;kind=find&amp;before=\d+)"', newest)[1].replace(
        "&amp;", "&"
    )
    assert "Older ledger lines" in page(store, older)
    assert "No line of the ledger is like this." in page(store, "/?outcome=blank&kind=find")
    assert "Newest ledger lines" in page(store, "/?outcome=x&kind='--&before=y")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/lines/999999999999"),
        ("GET", "/lines/x"),
        ("POST", "/"),
        ("GET", "/find"),
        ("GET", "/favicon.ico"),
    ],
)
def test_pages_that_are_not_there(store, method, path):
    assert store.anywhere(method, path).status == 404


def test_no_patient_number_in_the_log(store):
    number = fresh_nhs_number()
    store.upload(bundle(number, new_id()))
    store.find(number)
    store.upload(json.dumps(bundle(number, "x")).encode())
    find(store, number)
    store.anywhere("GET", f"/?{number}")
    assert not any(number in line for line in store.process.errors)
