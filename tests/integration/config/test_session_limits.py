"""Fifteen idle minutes, never fewer and at most half a minute more; twelve hours in all."""

import datetime

import pytest
import time_machine

START = datetime.datetime(2026, 11, 23, 8, 0, tzinfo=datetime.UTC)


@pytest.fixture
def clock(client, gp):
    with time_machine.travel(START, tick=False) as traveller:
        client.force_login(gp)
        assert client.get("/account/").status_code == 200
        yield traveller


def later(clock, **more):
    clock.shift(datetime.timedelta(**more))


def test_still_here_before_fifteen_minutes(client, clock):
    later(clock, minutes=15)
    assert client.get("/account/").status_code == 200


def test_logged_out_after_fifteen_minutes_and_told_so(client, clock):
    later(clock, minutes=15, seconds=31)
    response = client.get("/account/?tab=2")
    assert response["Location"] == "/log-in/?next=%2Faccount%2F%3Ftab%3D2&over=idle"
    assert "You were logged out after 15 minutes." in client.get(response["Location"]).content.decode()


def test_nobody_gets_less_than_fifteen_minutes_after_a_click_not_written_down(client, clock):
    later(clock, seconds=29)
    client.get("/account/")
    later(clock, minutes=15)
    assert client.get("/account/").status_code == 200


def test_every_click_counts(client, clock):
    for _ in range(6):
        later(clock, minutes=14)
        assert client.get("/account/").status_code == 200


def test_logged_out_after_twelve_hours_whatever_the_user_does(client, clock):
    for _ in range(12 * 6):
        later(clock, minutes=10)
        assert client.get("/account/").status_code == 200
    later(clock, minutes=1)
    assert client.get("/account/")["Location"].endswith("&over=long")


def test_a_form_sent_too_late_leads_back_to_the_page_it_stood_on(client, clock):
    later(clock, minutes=20)
    response = client.post("/account/stay/", HTTP_REFERER="http://testserver/account/password/")
    assert "next=%2Faccount%2Fpassword%2F&" in response["Location"]


def test_no_other_site_decides_where_log_in_leads(client, clock):
    later(clock, minutes=20)
    response = client.post("/account/stay/", HTTP_REFERER="https://evil.example/account/")
    assert "next=%2F&" in response["Location"]


def test_a_part_of_a_page_sends_the_whole_page_to_log_in(client, clock):
    later(clock, minutes=20)
    response = client.get("/account/", HTTP_HX_REQUEST="true")
    assert (response.status_code, response["HX-Redirect"][:9]) == (204, "/log-in/?")


def test_staying_logged_in_is_a_post(client, clock):
    later(clock, minutes=14)
    assert client.get("/account/stay/").status_code == 405
    assert client.post("/account/stay/").status_code == 204
    later(clock, minutes=14)
    assert client.get("/account/").status_code == 200


def test_clicks_close_together_are_not_all_written_down(client, clock, django_assert_max_num_queries):
    later(clock, seconds=10)
    with django_assert_max_num_queries(20) as captured:
        client.get("/account/")
    assert not [query["sql"] for query in captured if query["sql"].startswith("UPDATE")]
