"""The replays by command and by page: the same figures, for every role, and nothing written."""

import io

import pytest
from django.core.management import CommandError, call_command

from reports.replays.history import SCENARIOS
from tests.integration.consent.looking import text


def run(*names):
    out = io.StringIO()
    call_command("replay", *names, stdout=out)
    return out.getvalue()


def test_the_command_needs_no_database_and_names_what_there_is():
    assert [line.split()[0] for line in run().splitlines()] == list(SCENARIOS)
    with pytest.raises(CommandError, match="There are: june-2007"):
        run("june-2008")


@pytest.mark.parametrize("slug", SCENARIOS)
def test_each_runs_by_command(slug):
    told = run(slug)
    assert told.count("As it was: ") == SCENARIOS[slug].months


def test_june_2007_by_command():
    told = run("june-2007")
    assert "June 2007. Position: Do not co-operate: no upload (the whole summary)." in told
    assert "As it was: 149,655 of 600,000 may be uploaded" in told
    assert "448,965 not: BMA boycott in force and this practice follows it." in told


@pytest.mark.django_db
def test_pages(client, gp):
    client.force_login(gp)
    listed = text(client.get("/reports/replays/"))
    for slug, scenario in SCENARIOS.items():
        assert scenario.title in listed
        page = client.get(f"/reports/replays/{slug}/")
        assert page.status_code == 200 and scenario.assumed[:40] in text(page)
    assert "149,655" in text(client.get("/reports/replays/june-2007/"))
    assert client.get("/reports/replays/june-2008/").status_code == 404
