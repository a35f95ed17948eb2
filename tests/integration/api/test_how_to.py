"""The how-to's own commands, run as they stand against a running API; what a reader fills in is filled in here."""

import json
import os
import re
import shlex
import subprocess
from pathlib import Path

import pytest
from rest_framework.authtoken.models import Token

from tests.factories import make_patient

pytestmark = pytest.mark.django_db(transaction=True)
PAGE = (Path(__file__).resolve().parents[3] / "docs/how-to/api.md").read_text()
EXPORTS = re.findall(r"^export (?!API|TOKEN).*$", PAGE, re.MULTILINE)


def commands(page):
    """Each line behind a prompt, with the lines on which it goes on, under the headings that need one patient alone."""
    lines = iter(page.partition("## Find a patient")[2].partition("## The BMA policy")[0].splitlines())
    for line in lines:
        if line.startswith("$ "):
            command = line.removeprefix("$ ")
            while command.endswith("\\") or not _is_whole(command):
                command += "\n" + next(lines)
            yield command


def _is_whole(command):
    try:
        shlex.split(command)
    except ValueError:
        return False
    return True


def test_the_commands_work_on_any_day(live_server, api_client, practice):
    patient = make_patient(practice)
    env = {
        **os.environ,
        "API": f"{live_server.url}/api/v1",
        "TOKEN": f"Authorization: Token {Token.objects.create(user=api_client).key}",
        "NUMBER": patient.nhs_number,
        "BORN": patient.born_on.isoformat(),
        "KEY": "5d0c7c0e-6f0c-4df2-8a51-6a2f4c1d7a10",
    }
    listed, found, decided, followed, why = [_answer(command, env) for command in commands(PAGE)]
    assert [one["born_on"] for one in listed["results"]] == [env["BORN"]]
    assert found["id"] == str(patient.public_id)
    assert (decided["state"]["code"], decided["upload"]["state"]["code"]) == ("EXPRESS_CORE", "WAITING")
    assert followed["id"] == decided["upload"]["id"]
    assert why["outcome"] == "HOLD" and why["as_of"] < decided["upload"]["due_at"]


def test_what_a_reader_fills_in_is_named():
    assert {name for line in EXPORTS for name in re.findall(r"(\w+)=", line)} == {
        "NUMBER",
        "BORN",
        "PATIENT",
        "KEY",
        "UPLOAD",
    }


def _answer(command, env):
    """The answer as JSON. Its ids are what the next command is told."""
    done = subprocess.run(
        ["bash", "-c", command.replace("curl ", "curl -s --fail-with-body ", 1)],
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
    answer = json.loads(done.stdout)
    if "born_on" in answer:
        env["PATIENT"] = answer["id"]
    if answer.get("upload"):
        env["UPLOAD"] = answer["upload"]["id"]
    return answer
