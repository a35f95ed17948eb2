"""Whom the tests of consent's pages log in as."""

import pytest


@pytest.fixture
def visit(client, request):
    """`visit(name)`: the test client, logged in as that persona."""

    def log_in(name):
        client.force_login(request.getfixturevalue(name))
        return client

    return log_in
