"""Error pages: status, words, and what they must not say."""

import pytest
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.test import Client
from django.urls import include, path

from carerecords.permissions import NotPermitted, Permission, Role
from tests.factories import make_user


def refuse(request):
    raise PermissionDenied


def not_permitted(request):
    raise NotPermitted(Permission.RECORD_CONSENT_ADDITIONAL, request.role)


def break_down(request):
    raise RuntimeError("ADEYEMI, Grace 9991234567")


urlpatterns = [
    path("", include("config.account_urls")),
    path("refuse/", refuse),
    path("not-permitted/", not_permitted),
    path("break-down/", break_down),
    path("api/break-down/", break_down),
    path("fine/", lambda request: HttpResponse("fine")),
]
handler400 = "config.errors.bad_request"
handler403 = "config.errors.forbidden"
handler404 = "config.errors.not_found"
handler500 = "config.errors.server_error"
pytestmark = pytest.mark.urls(__name__)


@pytest.fixture
def as_staff(client, staff):
    client.force_login(staff)
    client.raise_request_exception = False
    return client


def test_not_found(as_staff):
    response = as_staff.get("/nowhere/")
    assert response.status_code == 404
    assert '<h1 class="nhsuk-heading-l">Page not found</h1>' in response.content.decode()


def test_forbidden_says_role_and_whom_to_ask(as_staff, practice):
    make_user(Role.PRACTICE_MANAGER, practice, given_name="Jo", family_name="Green")
    page = as_staff.get("/refuse/")
    assert page.status_code == 403
    body = page.content.decode()
    assert "You cannot open this page" in body
    assert "Your role is Receptionist or staff." in body
    assert "Ask your practice manager, Jo Green, if you need access." in body


def test_a_missing_permission_is_named_with_those_who_have_it(as_staff):
    page = as_staff.get("/not-permitted/")
    assert page.status_code == 403
    body = page.content.decode()
    assert "Your role (Receptionist or staff) cannot record consent to additional information." in body
    assert "This can be done by: GP." in body


def test_a_user_without_a_role_is_told_so(client, practice):
    user = make_user(Role.STAFF, practice)
    user.assignments.update(ends_at="2026-01-01T00:00:00Z")
    client.force_login(user)
    assert "You have no role in force" in client.get("/refuse/").content.decode()


def test_server_error_says_nothing_of_the_cause(as_staff, django_assert_max_num_queries):
    page = as_staff.get("/break-down/")
    assert page.status_code == 500
    body = page.content.decode()
    assert "Sorry, there is a problem with the service" in body
    assert "are kept" in body
    assert "ADEYEMI" not in body
    assert "Log out" not in body


def test_the_api_gets_problem_details(as_staff):
    response = as_staff.get("/api/break-down/")
    assert (response.status_code, response["Content-Type"]) == (500, "application/problem+json")
    assert response.json()["title"] == "Sorry, there is a problem with the service"


def test_a_form_from_before_a_new_log_in_is_explained(staff):
    client = Client(enforce_csrf_checks=True)
    client.force_login(staff)
    response = client.post("/log-out/")
    assert response.status_code == 403
    assert "what you sent was not saved" in response.content.decode()


def test_too_many_fields(as_staff):
    response = as_staff.post("/log-out/", {f"field{n}": "x" for n in range(1_001)})
    assert response.status_code == 400
    assert "A form takes up to 1,000 fields" in response.content.decode()


@pytest.mark.parametrize("address", ["/fine/", "/log-in/", "/nowhere/", "/break-down/", "/refuse/"])
def test_no_page_is_kept_and_nothing_comes_from_elsewhere(as_staff, address):
    response = as_staff.get(address)
    assert response["Cache-Control"] == "no-store"
    policy = response["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert response["X-Frame-Options"] == "DENY"
    assert response["Referrer-Policy"] == "same-origin"


def test_log_in_is_the_default(client, db):
    assert client.get("/fine/")["Location"] == "/log-in/?next=/fine/"
