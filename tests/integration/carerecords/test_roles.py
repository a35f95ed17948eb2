"""Roles are given and ended by command; an ended one is gone with the next click."""

import io

import pytest
from django.core import mail
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse

from carerecords.models import RoleAssignment, User
from carerecords.permissions import Role
from tests.factories import make_practice, make_user

pytestmark = pytest.mark.django_db
NAMES = {"given_name": "Nia", "family_name": "Price", "title": "Dr"}


def give(*arguments, **options):
    out = io.StringIO()
    call_command("give_role", *arguments, stdout=out, **options)
    return out.getvalue()


def test_somebody_new_is_stored_and_chooses_a_password_by_mail():
    practice = make_practice()
    said = give("Nia@Surgery.example", "GP", practice=practice.ods_code, **NAMES)
    assert said.startswith("Dr Nia Price is now GP at ")
    user = User.objects.get(email="nia@surgery.example")
    assert not user.has_usable_password()
    Client().post(reverse("account_reset_password"), {"email": user.email})
    assert [letter.to for letter in mail.outbox] == [[user.email]]


def test_an_ended_role_is_gone_with_the_next_click():
    practice = make_practice()
    give("nia@surgery.example", "GP", practice=practice.ods_code, **NAMES)
    browser = Client()
    browser.force_login(User.objects.get())
    assert browser.get(reverse("consent:list")).status_code == 200
    call_command("end_role", "nia@surgery.example", "GP", practice=practice.ods_code, stdout=io.StringIO())
    assert browser.get(reverse("consent:list")).status_code in {403, 404}
    assert RoleAssignment.objects.get().ends_at is not None, "the row stays"


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        (("nia@surgery.example", "GP"), NAMES, "GP is a role of one practice"),
        (("nia@surgery.example", "POLICY_ADMIN"), NAMES | {"practice": "B81001"}, "is a national role"),
        (("nia@surgery.example", "GP"), NAMES | {"practice": "B81001"}, "There is no practice B81001 here"),
        (("nia@surgery.example", "GP"), NAMES | {"practice": "?"}, "A practice code is"),
        (("nia@surgery.example", "POLICY_ADMIN"), {}, "Give their names"),
    ],
)
def test_what_cannot_be_given(arguments, options, message):
    with pytest.raises(CommandError, match=message):
        give(*arguments, **options)
    assert not User.objects.exists() and not RoleAssignment.objects.exists()


def test_the_same_role_twice():
    give("nia@bma.example", "POLICY_ADMIN", **NAMES)
    with pytest.raises(CommandError, match="Dr Nia Price has that role already"):
        give("nia@bma.example", "POLICY_ADMIN")
    assert RoleAssignment.objects.count() == 1


def test_ending_what_was_never_given():
    with pytest.raises(CommandError, match="does not have that role"):
        call_command("end_role", "nobody@bma.example", "POLICY_ADMIN")


class TestGmcNumbers:
    def test_a_new_gp_brings_one(self):
        practice = make_practice()
        give("nia@surgery.example", "GP", practice=practice.ods_code, gmc_number="612 3456", **NAMES)
        assert User.objects.get().gmc_number == "6123456"

    def test_a_number_is_added_later_and_then_stays(self):
        nia = make_user(Role.GP, gmc_number=None)
        call_command("set_gmc_number", nia.email, "6123456", stdout=io.StringIO())
        with pytest.raises(CommandError, match="has another GMC number already"):
            call_command("set_gmc_number", nia.email, "6123457", stdout=io.StringIO())
        nia.refresh_from_db()
        assert nia.gmc_number == "6123456"

    @pytest.mark.parametrize("number", ["612345", "61234567", "612345a", "", "６１２３４５６"])
    def test_what_is_none(self, number):
        nia = make_user(Role.GP, gmc_number=None)
        with pytest.raises(CommandError, match="A GMC number is 7 numbers"):
            call_command("set_gmc_number", nia.email, number, stdout=io.StringIO())

    def test_one_number_is_one_doctor(self):
        make_user(Role.GP, gmc_number="6123456")
        nia = make_user(Role.GP, gmc_number=None)
        with pytest.raises(CommandError, match="Somebody else has that GMC number"):
            call_command("set_gmc_number", nia.email, "6123456", stdout=io.StringIO())

    def test_the_database_refuses_what_is_none(self):
        with pytest.raises(IntegrityError), transaction.atomic():
            make_user(Role.GP, gmc_number="61234")
