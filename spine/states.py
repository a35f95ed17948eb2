"""The diagrams of the states of a job, of a run and of a change of policy, drawn from the tables that the code uses."""

from collections.abc import Iterable, Sequence

from boycott.change_states import TRANSITIONS as CHANGES
from boycott.change_states import ChangeState
from carerecords.models.upload_job import TRANSITIONS as JOBS
from carerecords.models.upload_job import JobState
from spine.runs.codes import TRANSITIONS as RUNS
from spine.runs.codes import RunState

Arrow = tuple[str, str, str]


def diagram() -> str:
    """Markdown with Mermaid state diagrams; `docs/states.md` holds it, and a test compares."""
    jobs = ((state, target, "") for state in JobState for target in sorted(JOBS[state]))
    changes = (
        # A colon would end the label in Mermaid.
        (state, target, step.label.replace(":", ","))
        for state in ChangeState
        for step, target in CHANGES[state].items()
    )
    runs = ((state, target, step.label) for state in RunState for step, target in RUNS[state].items())
    return "\n".join(
        [
            "# States",
            "",
            "Drawn by `manage.py draw_states` from the tables that the code itself uses.",
            "",
            *_section("An upload job", "carerecords/models/upload_job.py", list(JobState), jobs),
            *_section("A run of uploads", "spine/runs/codes.py", list(RunState), runs),
            *_section("A change of policy", "boycott/change_states.py", list(ChangeState), changes),
        ]
    )


def _section(
    title: str, source: str, states: Sequence[JobState | RunState | ChangeState], arrows: Iterable[Arrow]
) -> list[str]:
    """The states in their order, the first of which everything begins in."""
    drawn = [f"    [*] --> {states[0].value}"]
    leading = list(arrows)
    for state in states:
        away = [arrow for arrow in leading if arrow[0] == state]
        drawn += [
            f"    {state.value} --> {target}{f': {words}' if words else ''}" for _, target, words in away
        ]
        if not away:
            drawn.append(f"    {state.value} --> [*]")
    return [
        f"## {title}",
        "",
        f"From `{source}`.",
        "",
        "```mermaid",
        "stateDiagram-v2",
        *drawn,
        "```",
        "",
        "| state | shown as |",
        "|---|---|",
        *(f"| {state.value} | {state.label} |" for state in states),
        "",
    ]
