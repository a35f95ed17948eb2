"""`bin/install-locked`: one line of progress, and every error of pip's, whatever else pip says."""

import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[3] / "bin" / "install-locked"
NOISE = "WARNING: Location 'file:///opt/a file:///opt/b' is ignored: it is a non-existing path"
LOST = "WARNING: Retrying (Retry(total=4)) after connection broken"
WENT_WELL = f"""{NOISE}
Looking in indexes: https://pypi.example/simple
Collecting django==5.2.19 (from -r requirements.lock (line 9))
{LOST}
  Downloading django-5.2.19-py3-none-any.whl (8.3 MB)
Installing collected packages: django
Successfully installed django-5.2.19
"""
FAILED = f"""{NOISE}
Collecting django==5.2.19 (from -r requirements.lock (line 9))
ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.
    django==5.2.19 from https://pypi.example/django:
        Expected sha256 aaaa
"""


@pytest.fixture
def install(tmp_path):
    """Runs it with a Python whose pip says this and ends so."""

    def run(said, code):
        python = tmp_path / "bin" / "python"
        python.parent.mkdir()
        (tmp_path / "said").write_text(said)
        python.write_text(f'#!/bin/sh\ncat "{tmp_path}/said" >&2\nexit {code}\n')
        python.chmod(0o755)
        return subprocess.run(
            [SCRIPT, python, "some.lock"], capture_output=True, text=True, timeout=30, check=False
        )

    return run


def test_what_pip_thinks_of_this_machine_does_not_drown_the_progress(install, tmp_path):
    done = install(WENT_WELL, 0)
    assert done.returncode == 0
    assert "Collecting django 5.2.19" in done.stdout and "Installing all of them" in done.stdout
    assert LOST in done.stdout, "a slow network explains the wait"
    assert "Location" not in done.stdout + done.stderr and "Downloading" not in done.stdout
    assert (tmp_path / "pip.log").read_text() == WENT_WELL


def test_an_error_is_seen_whole_and_its_exit_code_is_kept(install):
    done = install(FAILED, 7)
    assert done.returncode == 7
    assert FAILED.partition("ERROR")[2] in done.stderr
    assert "pip could not install what some.lock names (exit code 7)" in done.stderr
    assert "Location" not in done.stderr


def test_a_python_without_pip_is_told_too(install):
    done = install("/venv/bin/python: No module named pip\n", 1)
    assert done.returncode == 1
    assert "No module named pip" in done.stderr
