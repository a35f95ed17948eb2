"""The diagram of a job's states, drawn from the table that the code uses. Pure but for that table."""

from carerecords.models.upload_job import TRANSITIONS, JobState


def diagram() -> str:
    """Markdown with a Mermaid state diagram; `docs/states.md` holds it, and a test compares."""
    lines = ["stateDiagram-v2", "    [*] --> WAITING"]
    for state in JobState:
        targets = sorted(TRANSITIONS[state])
        lines += [f"    {state.value} --> {target.value}" for target in targets]
        if not targets:
            lines.append(f"    {state.value} --> [*]")
    words = [f"| {state.value} | {state.label} |" for state in JobState]
    return "\n".join(
        [
            "# States of an upload job",
            "",
            "Drawn by `manage.py draw_states` from `carerecords/models/upload_job.py`.",
            "",
            "```mermaid",
            *lines,
            "```",
            "",
            "| state | shown as |",
            "|---|---|",
            *words,
            "",
        ]
    )
