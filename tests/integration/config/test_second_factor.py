"""The second factor: adding an app, logging in with it, losing it."""

import re

import pytest
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value, yield_hotp_counters_from_time

PASSWORD = "three odd words here"


@pytest.fixture
def logged_in(client, gp):
    gp.set_password(PASSWORD)
    gp.save()
    client.post("/log-in/", {"login": gp.email, "password": PASSWORD})
    client.post("/account/confirm/", {"password": PASSWORD})
    return client


def test_changing_it_asks_for_the_password_again(client, gp):
    gp.set_password(PASSWORD)
    gp.save()
    client.force_login(gp)
    response = client.get("/account/second-factor/totp/activate/")
    assert response["Location"].startswith("/account/confirm/?next=")
    page = client.get(response["Location"])
    assert "Enter your password again" in page.content.decode()
    wrong = client.post(response["Location"], {"password": "wrong"})
    assert "Password is not right" in wrong.content.decode()


def code_for(secret):
    counter = next(iter(yield_hotp_counters_from_time()))
    return format_hotp_value(hotp_value(secret, counter))


def add_app(client):
    page = client.get("/account/second-factor/totp/activate/").content.decode()
    secret = re.search(r'care-secret">([A-Z2-7]+)<', page)[1]
    response = client.post("/account/second-factor/totp/activate/", {"code": code_for(secret)})
    assert response.status_code == 302
    return secret


def test_the_picture_and_the_letters_are_in_the_page_itself(logged_in):
    page = logged_in.get("/account/second-factor/totp/activate/").content.decode()
    assert "<svg" in page
    assert "data:image" not in page
    assert "style=" not in page


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("", "Enter the code"),
        ("12345", "Code must be 6 numbers"),
        ("12345a", "Code must be 6 numbers"),
        ("000000", "Code is not right"),
    ],
)
def test_errors(logged_in, code, error):
    response = logged_in.post("/account/second-factor/totp/activate/", {"code": code})
    assert error in response.content.decode()


def test_log_in_then_asks_for_a_code(logged_in, gp, client):
    secret = add_app(logged_in)
    logged_in.post("/log-out/")
    response = client.post("/log-in/", {"login": gp.email, "password": PASSWORD})
    assert response["Location"].startswith("/account/second-factor/authenticate/")
    assert client.get("/account/").status_code == 302
    page = client.get(response["Location"]).content.decode()
    assert "Enter the code from your app" in page
    code = code_for(secret)
    response = client.post("/account/second-factor/authenticate/", {"code": f"{code[:3]} {code[3:]}"})
    assert response["Location"] == "/"
    assert client.get("/account/").status_code == 200


def test_a_recovery_code_stands_in_for_the_app(logged_in, gp, client):
    add_app(logged_in)
    page = logged_in.get("/account/second-factor/recovery-codes/").content.decode()
    code = re.search(r"monospace\">(\d{8})<", page)[1]
    logged_in.post("/log-out/")
    client.post("/log-in/", {"login": gp.email, "password": PASSWORD})
    response = client.post("/account/second-factor/authenticate/", {"code": code})
    assert response["Location"] == "/"


@pytest.mark.parametrize("path", ["", "recovery-codes/", "recovery-codes/generate/", "totp/deactivate/"])
def test_every_page_is_in_our_words(logged_in, path):
    add_app(logged_in)
    response = logged_in.get(f"/account/second-factor/{path}")
    assert response.status_code == 200
    assert "Care record upload consent" in response.content.decode()
    assert "Sign" not in response.content.decode()


def test_removing_the_app(logged_in):
    add_app(logged_in)
    response = logged_in.post("/account/second-factor/totp/deactivate/", follow=True)
    assert "Authenticator app removed." in response.content.decode()
