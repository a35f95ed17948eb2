"""Logging in as people do, so that the session knows when and how."""

from django.urls import reverse

PASSWORD = "a-long-enough-password-4"


def give_password(user):
    user.set_password(PASSWORD)
    user.save()
    return user


def log_in_now(client, user):
    """By the form, with a password; what asks for a fresh log-in takes this one."""
    give_password(user)
    client.logout()
    answer = client.post(reverse("account_login"), {"login": user.email, "password": PASSWORD})
    assert answer.status_code == 302, answer.content.decode()
    return client
