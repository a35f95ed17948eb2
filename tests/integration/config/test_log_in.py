"""Logging in and out as users meet it: words, lock-out, and nobody learns who has an account."""

import datetime
import re

import pytest
import time_machine
from django.core import mail
from django.test import Client
from django.urls import NoReverseMatch, reverse

from carerecords.permissions import Role
from tests.factories import make_user

PASSWORD = "three odd words here"


@pytest.fixture
def gp_with_password(gp):
    gp.set_password(PASSWORD)
    gp.save()
    return gp


def log_in(client, email, password, **more):
    return client.post("/log-in/", {"login": email, "password": password, **more})


def text(response):
    body = re.sub(r"<(script|style)\b.*?</\1>", "", response.content.decode(), flags=re.DOTALL)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", body))


def test_the_right_password_leads_home(client, gp_with_password):
    response = log_in(client, gp_with_password.email.upper(), PASSWORD)
    assert (response.status_code, response["Location"]) == (302, "/")
    assert client.get("/account/").status_code == 200


def test_it_leads_back_to_the_page_asked_for(client, gp_with_password):
    assert client.get("/account/")["Location"] == "/log-in/?next=/account/"
    response = log_in(client, gp_with_password.email, PASSWORD, next="/account/")
    assert response["Location"] == "/account/"


def test_it_leads_to_no_other_site(client, gp_with_password):
    response = log_in(client, gp_with_password.email, PASSWORD, next="https://evil.example/")
    assert response["Location"] == "/"


@pytest.mark.parametrize(
    ("login", "password", "error"),
    [
        ("", "x", "Enter your email address"),
        ("name@example", "x", "Enter an email address in the correct format, like name@example.com"),
        ("name@example.com", "", "Enter your password"),
        ("name@example.com", "x", "Email address or password is not right"),
    ],
)
def test_errors(client, db, login, password, error):
    response = log_in(client, login, password)
    assert "<title>Error: Log in - " in response.content.decode()
    assert "There is a problem" in text(response)
    assert error in text(response)
    assert f'value="{login}"' in response.content.decode() or not login


def test_a_wrong_password_and_an_unknown_address_look_the_same(client, gp_with_password):
    def page(email):
        return text(log_in(Client(), email, "wrong")).replace(email, "EMAIL")

    assert page(gp_with_password.email) == page("nobody@test.example")


def test_the_password_is_never_sent_back(client, db):
    response = log_in(client, "name@example.com", "the password typed")
    assert "the password typed" not in response.content.decode()


@pytest.mark.parametrize("known", [True, False])
def test_five_bad_passwords_make_an_address_wait_known_or_not(client, gp_with_password, known):
    email = gp_with_password.email if known else "nobody@test.example"
    with time_machine.travel(datetime.datetime(2026, 11, 23, 9, 4, 30, tzinfo=datetime.UTC), tick=False):
        for _ in range(4):
            assert log_in(client, email, "wrong").status_code == 200
        locked = log_in(client, email, "wrong")
        assert locked.status_code == 429
        assert "Too many tries. Try again after 9:20am." in text(locked)
        assert log_in(client, email, PASSWORD).status_code == 429
    with time_machine.travel(datetime.datetime(2026, 11, 23, 9, 20, tzinfo=datetime.UTC), tick=False):
        assert log_in(client, email, PASSWORD).status_code == (302 if known else 200)


def test_another_address_is_not_kept_waiting(client, gp_with_password, staff):
    for _ in range(5):
        log_in(client, gp_with_password.email, "wrong")
    assert log_in(client, staff.email, "wrong").status_code == 200


def test_a_stranger_elsewhere_cannot_lock_a_user_out(client, gp_with_password):
    for _ in range(6):
        client.post("/log-in/", {"login": gp_with_password.email, "password": "x"}, REMOTE_ADDR="203.0.113.9")
    assert log_in(client, gp_with_password.email, PASSWORD).status_code == 302


def test_a_good_password_clears_the_count(client, gp_with_password):
    for _ in range(3):
        for _ in range(4):
            assert log_in(Client(), gp_with_password.email, "wrong").status_code == 200
        assert log_in(client, gp_with_password.email, PASSWORD).status_code == 302
        client.logout()


def test_a_user_who_left_cannot_log_in(client, gp_with_password):
    gp_with_password.is_active = False
    gp_with_password.save()
    log_in(client, gp_with_password.email, PASSWORD)
    assert client.get("/account/").status_code == 302


def test_log_out_is_a_post(client, gp):
    client.force_login(gp)
    assert client.get("/log-out/").status_code == 200
    assert client.get("/account/").status_code == 200
    assert client.post("/log-out/")["Location"] == "/log-in/"
    assert client.get("/account/").status_code == 302


@pytest.mark.parametrize("name", ["account_signup", "account_email"])
def test_nobody_signs_up_or_changes_their_own_address(name):
    with pytest.raises(NoReverseMatch):
        reverse(name)


def test_the_account_page_tells_the_last_log_in(client, gp_with_password):
    with time_machine.travel("2008-03-03 08:04:00Z", tick=False):
        log_in(client, gp_with_password.email, PASSWORD)
        assert "This is the first time" in text(client.get("/account/"))
        client.logout()
    with time_machine.travel("2008-03-04 08:00:00Z", tick=False):
        log_in(client, gp_with_password.email, PASSWORD)
        assert "3 March 2008 at 8:04am" in text(client.get("/account/"))


def test_a_forgotten_password_is_set_by_a_link_that_works_once(client, gp_with_password):
    response = client.post("/account/password/reset/", {"email": gp_with_password.email})
    assert response["Location"] == "/account/password/reset/sent/"
    (message,) = mail.outbox
    link = re.search(r"http://testserver(\S+)", message.body)[1]
    page = client.get(link, follow=True)
    new = {"password1": "four other odd words", "password2": "four other odd words"}
    client.post(page.request["PATH_INFO"], new)
    assert log_in(client, gp_with_password.email, "four other odd words").status_code == 302
    assert "This link does not work any more" in text(Client().get(link, follow=True))


def test_an_unknown_address_gets_the_same_answer_and_no_mail(client, db):
    response = client.post("/account/password/reset/", {"email": "nobody@test.example"})
    assert response["Location"] == "/account/password/reset/sent/"
    assert mail.outbox == []


@pytest.mark.parametrize(
    ("old", "new", "again", "error"),
    [
        ("wrong", "four other odd words", "four other odd words", "Current password is not right"),
        (PASSWORD, "short", "short", "Password must be 10 characters or more"),
        (PASSWORD, "x" * 129, "x" * 129, "Password must be 128 characters or less"),
        (PASSWORD, "1234567890", "1234567890", "Password must be harder to guess"),
        (PASSWORD, "four other odd words", "five other odd words", "Passwords must match"),
        (PASSWORD, "four other odd words", "", "Type the new password again"),
    ],
)
def test_password_change_errors(client, gp_with_password, old, new, again, error):
    client.force_login(gp_with_password)
    response = client.post("/account/password/", {"oldpassword": old, "password1": new, "password2": again})
    assert response.status_code == 200
    assert error in text(response)


def test_password_change(client, gp_with_password):
    client.force_login(gp_with_password)
    fields = {
        "oldpassword": PASSWORD,
        "password1": "four other odd words",
        "password2": "four other odd words",
    }
    response = client.post("/account/password/", fields, follow=True)
    assert "Your password was changed." in text(response)


def test_the_header_names_person_role_and_practice(client, practice):
    user = make_user(Role.STAFF, practice, given_name="Jo", family_name="Green")
    client.force_login(user)
    page = text(client.get("/account/"))
    assert "Jo Green (Receptionist or staff)" in page
    assert f"{practice.name} ({practice.ods_code})" in page
