"""Every planted fault still finds the text that it changes, and the product with it is still a program."""

import subprocess
import sys

import pytest

from faults import mutants, runner

# What the list of reliability goals names: the run must find each of them.
WANTED = 12


def test_there_are_at_least_as_many_as_the_goal_names():
    assert len(mutants.MUTANTS) >= WANTED


@pytest.mark.parametrize("name", mutants.MUTANTS)
def test_each_changes_the_source_and_it_compiles(name):
    for module, source in mutants.planted(name).items():
        assert source != mutants.source_of(module)
        compile(source, module, "exec")


@pytest.mark.parametrize("name", mutants.MUTANTS)
def test_each_names_a_scenario_that_exists(name):
    assert mutants.MUTANTS[name].found_by in runner.scenarios()


@pytest.mark.parametrize("old", ["no such text", "import"])
def test_a_text_that_is_not_there_once_is_refused(old):
    with pytest.raises(mutants.Stale):
        mutants.Edit("spine.sending.answers", old, "").of(mutants.source_of("spine.sending.answers"))


def test_a_process_imports_what_was_planted():
    """In a process of its own: what was imported here without the fault stays so."""
    program = (
        "from faults import mutants; mutants.plant('403-retried'); from spine.sending import answers; "
        "print(answers._BY_STATUS[403].value)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "TRANSIENT"
