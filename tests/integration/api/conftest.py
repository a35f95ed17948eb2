"""Callers of the API: each with a token, as programs come."""

import json

import pytest
from django.core.cache import cache
from rest_framework.authtoken.models import Token
from rest_framework.test import APIClient

from tests.factories import make_patient


@pytest.fixture(autouse=True)
def fresh_rates():
    """Rates are counted by user id, which another test's rolled-back user may have had."""
    cache.clear()


@pytest.fixture
def call():
    """`call(user)`: a client with that user's token; without a user, with none."""

    def caller(user=None):
        client = APIClient()
        if user is not None:
            client.credentials(HTTP_AUTHORIZATION=f"Token {Token.objects.get_or_create(user=user)[0].key}")
        return client

    return caller


@pytest.fixture
def api(call, api_client):
    """The practice's own system."""
    return call(api_client)


@pytest.fixture
def sensitive(practice, gp):
    return make_patient(practice, usual_gp=gp, is_sensitive=True)


@pytest.fixture
def schema(client, gp):
    client.force_login(gp)
    return json.loads(
        client.get("/api/schema/", headers={"Accept": "application/vnd.oai.openapi+json"}).content
    )
