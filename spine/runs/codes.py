"""What a run of sending can be, which patients it is about, and the way it goes. Pure.

The kinds are the bulk runs that practice systems have had since 2008 (peers notes 1.1: initial upload,
bulk update, consent migration, bulk deregistration, practice no longer contributing).
"""

from carerecords.vocabulary import Term


class RunKind(Term):
    """What a run asks for."""

    INITIAL = "INITIAL", "First upload"
    UPDATE = "UPDATE", "Update"
    MIGRATION = "MIGRATION", "Consent migration"
    LEAVERS = "LEAVERS", "Patients who have left"
    ENDED = "ENDED", "Practice no longer contributes"

    @property
    def sentence(self) -> str:
        """What it does, under its name."""
        return _SENTENCES[self]


_SENTENCES = {
    RunKind.INITIAL: "Sends a summary of each patient of whom the Spine holds none from this practice.",
    RunKind.UPDATE: "Uploads again what the Spine holds, where the record has changed.",
    RunKind.MIGRATION: "Brings every decision that patients made to the Spine: summaries of those who "
    "consent, and the removal of what the Spine may hold of those who refused.",
    RunKind.LEAVERS: "Puts a notice on what the Spine holds of patients who left this practice: it is not kept up "
    "to date. Nothing of the record is sent.",
    RunKind.ENDED: "While uploads are held here: puts a notice on what the Spine holds of this practice’s patients. "
    "It is not kept up to date. Nothing of the record is sent. An update takes the notices away.",
}

# What they ask for is a notice on a copy, never an upload.
NOTICES = (RunKind.LEAVERS, RunKind.ENDED)
# Only the practice itself can say so.
OF_PRACTICE_ONLY = (RunKind.ENDED,)


class RunGroup(Term):
    """Which of the patients that a kind is about."""

    ALL = "ALL", "All of them"
    EXPRESS = "EXPRESS", "Those who consent expressly"
    SILENT = "SILENT", "Those whose silence counts as consent"


class RunState(Term):
    """Where a run stands."""

    DRAFT = "DRAFT", "Not started"
    RUNNING = "RUNNING", "Running"
    PAUSED = "PAUSED", "Paused"
    FINISHED = "FINISHED", "Finished"
    CANCELLED = "CANCELLED", "Cancelled"


class RunStep(Term):
    """What was done with a run."""

    MADE = "MADE", "Made"
    STARTED = "STARTED", "Started"
    PAUSED = "PAUSED", "Paused"
    RESUMED = "RESUMED", "Resumed"
    RERUN = "RERUN", "Failed uploads asked for again"
    CANCELLED = "CANCELLED", "Cancelled"
    FINISHED = "FINISHED", "Finished"


_S, _T = RunState, RunStep
TRANSITIONS: dict[RunState, dict[RunStep, RunState]] = {
    _S.DRAFT: {_T.STARTED: _S.RUNNING, _T.CANCELLED: _S.CANCELLED},
    _S.RUNNING: {
        _T.PAUSED: _S.PAUSED,
        _T.RERUN: _S.RUNNING,
        _T.CANCELLED: _S.CANCELLED,
        _T.FINISHED: _S.FINISHED,
    },
    _S.PAUSED: {_T.RESUMED: _S.RUNNING, _T.CANCELLED: _S.CANCELLED},
    # What was held when it finished is cancelled with it.
    _S.FINISHED: {_T.RERUN: _S.RUNNING, _T.CANCELLED: _S.CANCELLED},
    _S.CANCELLED: {},
}
# Where its uploads may still leave.
UNDER_WAY = (RunState.RUNNING, RunState.PAUSED)


def state_after(state: RunState, step: RunStep) -> RunState | None:
    """Where a step leads from a state; None: it is not to be done there."""
    return TRANSITIONS[state].get(step)
