"""Log lines say where and what kind, and never what somebody typed."""

import json
import logging
import logging.config

import pytest
from django.conf import settings

NUMBER = "9434765919"


@pytest.fixture
def line():
    formatter = settings.LOGGING["formatters"]["json"] | {}
    made = logging.config.DictConfigurator({"version": 1}).configure_formatter(formatter)

    def of(**record):
        values = {
            "name": "django.request",
            "level": logging.ERROR,
            "msg": "failed",
            "args": (),
            "exc_info": None,
        }
        made_record = logging.makeLogRecord(
            {"levelno": logging.ERROR, "levelname": "ERROR"} | values | record
        )
        return json.loads(made.format(made_record))

    return of


def failure():
    try:
        try:
            raise ValueError(f"Key (nhs_number)=({NUMBER}) already exists.")
        except ValueError as error:
            raise RuntimeError(f"could not save {NUMBER}") from error
    except RuntimeError as error:
        return (type(error), error, error.__traceback__)


def test_an_exception_is_told_by_its_types_and_place_without_its_message(line):
    told = line(exc_info=failure())
    assert told["exception"] == "RuntimeError from ValueError"
    assert told["frames"][0].endswith(" failure")
    assert NUMBER not in json.dumps(told)


def test_task_arguments_and_results_stay_out(line):
    told = line(data={"args": NUMBER, "result": NUMBER})
    assert told["event"] == "failed" and NUMBER not in json.dumps(told)


def test_every_line_says_when_how_grave_and_by_whom(line):
    told = line()
    assert told["level"] == "error" and told["logger"] == "django.request"
    assert told["timestamp"].endswith("Z")
