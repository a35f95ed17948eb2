"""What the strip under the header says about uploads here and now. Pure.

The order of trust: a stop, then conflicting positions, then a boycott in force, then one to come,
then none. Wording: section 2 of the screens design; sentences for what that section leaves out
(a practice that holds by itself, or has not joined yet) follow it.
"""

import datetime
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum

from boycott.positions import DataScope, Position, Stance
from boycott.rules import Revision, conflict
from carerecords.formats import local, nhs_date, nhs_datetime, nhs_time, plural

RUNS = "Uploads run for patients with consent."
WHAT_THIS_MEANS = "What this means"
ADDITIONAL = "BMA boycott of additional information"


class StripState(StrEnum):
    """Chooses the strip's mark and colour; the text says it all without them."""

    OFF = "off"
    ON_FOLLOWED = "on_followed"
    ON_NOT_FOLLOWED = "on_not_followed"
    SCHEDULED = "scheduled"
    CONFLICT = "conflict"
    STOP = "stop"


@dataclass(frozen=True)
class Stopped:
    """The emergency stop in force."""

    at: datetime.datetime
    by: str
    reason: str


@dataclass(frozen=True)
class Here:
    """What the strip looks at: one practice, or the nation where `stance` is None.

    `patients` are those with consent, counted only where uploads are stopped for them.
    """

    at: datetime.datetime
    policy_url: str
    in_force: tuple[Revision, ...] = ()
    to_come: tuple[Revision, ...] = ()
    stance: Stance | None = None
    goes_live_on: datetime.date | None = None
    patients: int | None = None
    stop: Stopped | None = None
    # When the boycott in force ends by the calendar, if it does.
    ends_at: datetime.datetime | None = None
    # For the nation: since when a boycott is in force in a part of England only.
    in_parts_since: datetime.datetime | None = None


@dataclass(frozen=True)
class Strip:
    """The strip as the page draws it."""

    state: StripState
    text: str
    link_text: str = field(default="")
    link_url: str = field(default="")
    # What changes within a day, which the home page says in full.
    soon: tuple[str, ...] = ()


def strip_for(here: Here) -> Strip:
    """The one thing to say."""
    if here.stop:
        return Strip(StripState.STOP, _stop_text(here.stop, here.at))
    if conflict(here.in_force):
        return _conflicting(here)
    if revision := _boycott(here.in_force, DataScope.ALL):
        return _boycott_strip(here, f"BMA boycott in force since {nhs_date(revision.effective_from)}.")
    if here.in_parts_since:
        begins = f"BMA boycott in force in parts of England since {nhs_date(here.in_parts_since)}."
        return _boycott_strip(here, begins)
    if here.stance is Stance.HOLD:
        return _with_link(StripState.ON_FOLLOWED, f"No BMA boycott in force. {_held(here)}", here)
    if revision := _boycott(here.in_force, DataScope.ADDITIONAL_ONLY):
        return _additional_only(here, revision)
    for part, name in ((DataScope.ALL, "BMA boycott"), (DataScope.ADDITIONAL_ONLY, ADDITIONAL)):
        if revision := _boycott(here.to_come, part):
            return _scheduled(here, f"{name} starts on {nhs_datetime(revision.effective_from)}.")
    return Strip(StripState.OFF, f"No BMA boycott in force. {_running(here)}")


def stops_uploads(here: Here) -> bool:
    """Whether the strip names how many patients' uploads the policy or the practice stops."""
    if here.stance is None or here.stop or conflict(here.in_force):
        return False
    boycott = _boycott(here.in_force, DataScope.ALL) is not None
    return here.stance is Stance.HOLD or (boycott and here.stance is Stance.FOLLOW)


def _stop_text(stop: Stopped, now: datetime.datetime) -> str:
    day = "" if local(stop.at).date() == local(now).date() else f" on {nhs_date(stop.at)}"
    reason = stop.reason if stop.reason.endswith((".", "!", "?")) else f"{stop.reason}."
    return f"All uploads were stopped{day} at {nhs_time(stop.at)} by {stop.by}. Reason: {reason}"


def _conflicting(here: Here) -> Strip:
    disagreeing = len(
        {(one.data_scope, one.position) for one in here.in_force if _disputed(one, here.in_force)}
    )
    held = "Uploads are held until this is resolved."
    if here.stance is Stance.DO_NOT_FOLLOW:
        held = f"Your practice follows neither: {_continue(here)}"
    text = f"BMA policy is conflicting: {disagreeing} adopted positions disagree. {held}"
    return Strip(StripState.CONFLICT, text, "See both positions", here.policy_url)


def _scheduled(here: Here, starts: str) -> Strip:
    runs = "Uploads run until then." if _joined(here) else _running(here)
    return _with_link(StripState.SCHEDULED, f"{starts} {runs}", here)


def _disputed(revision: Revision, others: Iterable[Revision]) -> bool:
    return any(
        other.data_scope is revision.data_scope and other.position is not revision.position
        for other in others
    )


def _boycott_strip(here: Here, begins: str) -> Strip:
    if here.ends_at:
        begins = f"{begins} It ends on {nhs_datetime(here.ends_at)}."
    match here.stance:
        case None:
            text = f"{begins} Uploads are stopped in the practices that follow it."
            return _with_link(StripState.ON_FOLLOWED, text, here)
        case Stance.DO_NOT_FOLLOW:
            text = f"{begins} Your practice does not follow it: {_continue(here)}"
            return Strip(StripState.ON_NOT_FOLLOWED, text)
        case Stance.HOLD:
            return _with_link(StripState.ON_FOLLOWED, f"{begins} {_held(here)}", here)
    text = f"{begins} Your practice follows it: uploads are stopped{_for_patients(here)}."
    return _with_link(StripState.ON_FOLLOWED, text, here)


def _additional_only(here: Here, revision: Revision) -> Strip:
    begins = f"{ADDITIONAL} in force since {nhs_date(revision.effective_from)}."
    if here.ends_at:
        begins = f"{begins} It ends on {nhs_datetime(here.ends_at)}."
    if wider := _boycott(here.to_come, DataScope.ALL):
        begins = f"{begins} A boycott of whole summaries starts on {nhs_datetime(wider.effective_from)}."
    if here.stance is Stance.DO_NOT_FOLLOW:
        return Strip(
            StripState.ON_NOT_FOLLOWED, f"{begins} Your practice does not follow it: {_continue(here)}"
        )
    who = "Practices that follow it upload" if here.stance is None else "Your practice follows it and uploads"
    text = f"{begins} {who} medication, allergies and adverse reactions only."
    return _with_link(StripState.ON_FOLLOWED, text, here)


def _held(here: Here) -> str:
    return f"Your practice holds uploads whatever the policy: they are stopped{_for_patients(here)}."


def _for_patients(here: Here) -> str:
    return "" if here.patients is None else f" for {plural(here.patients, 'patient')}"


def _joined(here: Here) -> bool:
    if here.stance is None:
        return True
    return here.goes_live_on is not None and here.goes_live_on <= local(here.at).date()


def _running(here: Here) -> str:
    if _joined(here):
        return RUNS
    if here.goes_live_on:
        return f"Your practice joins on {nhs_date(here.goes_live_on)}. Nothing is uploaded until then."
    return "Your practice has no date to join yet, so nothing is uploaded."


def _continue(here: Here) -> str:
    if _joined(here):
        return "uploads continue for patients with consent."
    return "uploads start when it joins" + (
        f" on {nhs_date(here.goes_live_on)}." if here.goes_live_on else "."
    )


def _boycott(revisions: Iterable[Revision], part: DataScope) -> Revision | None:
    return next(
        (one for one in revisions if one.position is Position.NON_COOPERATION and one.data_scope is part),
        None,
    )


def _with_link(state: StripState, text: str, here: Here) -> Strip:
    return Strip(state, text, WHAT_THIS_MEANS, here.policy_url)
