"""Every address of the project, page or API: who may come, and what strangers learn."""

import re
import uuid

import pytest
from django.urls import URLPattern, get_resolver
from rest_framework.test import APIClient

from carerecords.permissions import Permission, roles_with
from tests.factories import make_user
from tests.guidance_factories import GUIDANCE_SLUG
from tests.named_things import ids_for

# Views without a permission of the roles table, each with its reason. Names as `reverse` knows them.
OWN_ACCOUNT = "one's own log-in, whatever the role"
FOR_EVERYBODY = "says nothing of anybody"
WITHOUT_PERMISSION = {
    "account": OWN_ACCOUNT,
    "account_change_password": OWN_ACCOUNT,
    "account_inactive": OWN_ACCOUNT,
    "account_login": OWN_ACCOUNT,
    "account_logout": OWN_ACCOUNT,
    "account_reauthenticate": OWN_ACCOUNT,
    "account_reset_password": OWN_ACCOUNT,
    "account_reset_password_done": OWN_ACCOUNT,
    "account_reset_password_from_key": OWN_ACCOUNT,
    "account_reset_password_from_key_done": OWN_ACCOUNT,
    "account_set_password": OWN_ACCOUNT,
    "account_stay": OWN_ACCOUNT,
    "mfa_activate_totp": OWN_ACCOUNT,
    "mfa_authenticate": OWN_ACCOUNT,
    "mfa_deactivate_totp": OWN_ACCOUNT,
    "mfa_download_recovery_codes": OWN_ACCOUNT,
    "mfa_generate_recovery_codes": OWN_ACCOUNT,
    "mfa_index": OWN_ACCOUNT,
    "mfa_reauthenticate": OWN_ACCOUNT,
    "mfa_view_recovery_codes": OWN_ACCOUNT,
    "health": FOR_EVERYBODY,
    "help": FOR_EVERYBODY,
    "accessibility": FOR_EVERYBODY,
    "privacy": FOR_EVERYBODY,
    "api:schema": "describes the API to anybody with a log-in",
    "api:docs": "describes the API to anybody with a log-in",
}
# What answers before a log-in.
WITHOUT_LOG_IN = {
    "account_inactive",
    "account_login",
    "account_logout",  # leads to the log-in page
    "account_reset_password",
    "account_reset_password_done",
    "account_reset_password_from_key",
    "account_reset_password_from_key_done",
    "mfa_authenticate",  # the second step of logging in
    "health",
    "help",
    "accessibility",
    "privacy",
}


def routes(resolver=None, prefix="", spaces=()):
    """(name with namespaces, pattern text, view, parameter names) of every address."""
    for each in (resolver or get_resolver()).url_patterns:
        text = prefix + str(each.pattern)
        if isinstance(each, URLPattern):
            yield (":".join([*spaces, each.name or text]), text, each.callback, set(each.pattern.converters))
        else:
            inner = [*spaces, each.namespace] if each.namespace else spaces
            for name, path, view, found in routes(each, text, inner):
                yield name, path, view, found | set(each.pattern.converters)


ROUTES = list(routes())
# The union's own things, which are no patient's: policy admins and auditors do read them.
NATIONAL = ("surveys:", "api:v1:survey")
# Motions and changes belong to no practice either: a role that may open one may open them all.
OF_POLICY = ("boycott:motion", "boycott:read_notice", "spine:change", "spine:dispensation", "api:v1:policy_")
POLICY_THINGS = [route for route in ROUTES if "<uuid:" in route[1] and route[0].startswith(OF_POLICY)]
OF_ONE_THING = [route for route in ROUTES if "<uuid:" in route[1] and route not in POLICY_THINGS]
named = pytest.mark.parametrize("route", ROUTES, ids=lambda route: route[0])
about_policy = pytest.mark.parametrize("route", POLICY_THINGS, ids=lambda route: route[0])
about_one_thing = pytest.mark.parametrize("route", OF_ONE_THING, ids=lambda route: route[0])


def test_the_table_is_read_whole():
    names = [name for name, *_ in ROUTES]
    assert {"home", "spine:upload", "api:v1:patient", "account_login"} <= set(names)
    assert len(names) == len(set(names))
    assert WITHOUT_PERMISSION.keys() <= set(names) and set(names) >= WITHOUT_LOG_IN


@named
def test_every_view_declares_a_permission(route):
    name, _, view, _ = route
    declared = getattr(view, "permission", None)
    if name in WITHOUT_PERMISSION:
        assert declared is None, "It declares one: take it off the list."
    else:
        assert isinstance(declared, Permission), f"{name} says nothing of who may open it."


@named
def test_addresses_hold_public_ids_only(route):
    """No name, NHS number or text of a person can stand where only a UUID fits.

    A page of guidance is the union's own, printed and passed on, and a piece of history is no secret: their
    addresses can be read.
    """
    if route[0] != "account_reset_password_from_key":  # a signed key, from a message to the user
        address = re.sub(r"(guidance|replays)/<slug:\w+>/", "", route[1])
        assert not re.search(r"<(?!uuid:)", address), route[1]


def address_of(route, ids):
    """The route's address with ids in the order of its parameters; None for what takes other texts."""
    left = iter(ids)
    path = "/" + re.sub(r"<uuid:\w+>", lambda _: str(next(left)), route[1])
    path = path.replace("<slug:slug>", GUIDANCE_SLUG).replace("<slug:scenario>", "june-2007")
    return None if set(path) & set("<\\(^") else path


def answers(client, path):
    """Status of each method that the address knows."""
    sent = "json" if path.startswith("/api/") else "multipart"
    return {each.status_code for each in (client.get(path), client.post(path, {}, format=sent))} - {405}


@named
@pytest.mark.django_db
def test_log_in_is_needed(route, client):
    path = address_of(route, [uuid.uuid4()] * 3)
    if path is None or route[0] in WITHOUT_LOG_IN:
        return
    for answer in (client.get(path), client.post(path)):
        if path.startswith("/api/v1/") or route[0] == "api:schema":
            assert answer.status_code in {401, 405}
        else:
            assert answer.status_code == 302 and answer["Location"].startswith("/log-in/"), path


@pytest.fixture
def things(world):
    return world.ids


@pytest.fixture
def gp(world):
    return world.gp


def ids_to_try(route, things):
    """What the address names, and then every thing in its place: strangers must meet 404 with any."""
    first, second = ids_for(route[0], things)
    return [[first, second], *([other, second] for other in things.values() if other != first)]


def logged_in(user):
    client = APIClient()
    client.force_login(user)
    return client


@about_one_thing
@pytest.mark.django_db
def test_strangers_get_404(route, things):
    """Somebody of another practice, in a role that the door is open to."""
    role = next((role for role in roles_with(route[2].permission) if role.rule.of_practice), None)
    if role is None:
        assert route[0].startswith(NATIONAL), "no role of a practice may open it"
        return
    client = logged_in(make_user(role))
    for ids in ids_to_try(route, things):
        path = address_of(route, ids)
        assert answers(client, path) == {404}, path


@about_one_thing
@pytest.mark.django_db
@pytest.mark.parametrize("who", ["policy_admin", "national_admin", "auditor"])
def test_national_roles_reach_no_patient(route, request, who, things):
    client = logged_in(request.getfixturevalue(who))
    for ids in ids_to_try(route, things):
        if route[0].startswith(NATIONAL) and ids[0] == things["survey"]:
            continue
        path = address_of(route, ids)
        found = answers(client, path)
        assert found <= {403, 404}, path
        # Refused at the door, before anything was looked up: another id would be told the same.
        if found == {403}:
            return


@about_one_thing
@pytest.mark.django_db
def test_the_practices_own_gp_does_reach_it(route, gp, things):
    """So that the 404 of the stranger above is not merely a wrong address."""
    path = address_of(route, ids_for(route[0], things))
    assert answers(logged_in(gp), path) - {404}, route[0]


@about_policy
@pytest.mark.django_db
def test_nothing_else_is_found_at_an_address_of_policy(route, things):
    """A patient's id, or an unknown one, names no motion and no change."""
    client = logged_in(make_user(roles_with(route[2].permission)[0]))
    named = ids_for(route[0], things)[0]
    others = [each for each in things.values() if each != named]
    for other in [*others, uuid.uuid4()]:
        path = address_of(route, [other])
        assert answers(client, path) == {404}, path


@about_policy
@pytest.mark.django_db
def test_who_may_open_it_does_reach_it(route, things):
    user = make_user(roles_with(route[2].permission)[0])
    path = address_of(route, ids_for(route[0], things))
    found = answers(logged_in(user), path)
    # A notice is its reader's own, so to anybody else there is none.
    assert (found == {404}) is (route[0] == "boycott:read_notice"), path
