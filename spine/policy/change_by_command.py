"""A change of policy as a terminal shows it, and as a file brings it."""

import datetime
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from boycott.change_states import UNSETTLED
from boycott.dossier import Dossier, newest_steps
from boycott.measured_change import base_now
from boycott.models import ChangeStep, MotionRevision
from boycott.queries import holding_changes
from carerecords.api import StrictSerializer
from carerecords.formats import nhs_date, nhs_datetime
from spine.policy.change_page import effect_of


class BadFile(Exception):
    """The file does not say a change; the message names each thing to mend."""


def read_file(file: Path, shape: type[StrictSerializer], **more: Any) -> dict[str, Any]:
    """What a file of JSON says, as the API takes it. Raises `BadFile`."""
    try:
        sent = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise BadFile(f"{file} cannot be read: {error.strerror}") from None
    except ValueError:
        raise BadFile(f"{file} is not JSON") from None
    form = shape(data=sent | more if isinstance(sent, dict) else sent)
    if not form.is_valid():
        raise BadFile("\n".join(_wrong(form.errors)))
    return dict(form.validated_data)


def _wrong(errors: Any, name: str = "") -> Iterator[str]:
    if isinstance(errors, dict):
        for inner, told in errors.items():
            yield from _wrong(told, f"{name}.{inner}" if name else str(inner))
    else:
        yield from (f"{name}: {words}" for words in errors)


def listed(at: datetime.datetime) -> list[str]:
    """Every change in one line each, the one touched last first."""
    holding = holding_changes(at)
    return [_listed(step, step.state(at).words(holds=step.change_id in holding)) for step in newest_steps()]


def _listed(step: ChangeStep, state: str) -> str:
    content = step.content
    return (
        f"{step.change.public_id}  {state}: {content.get_position_display()} "
        f"({content.motion.title}), by {step.change.made_by.short_name}"
    )


def motion_in_a_line(motion: MotionRevision) -> str:
    """One motion with the id that a file names it by."""
    met = f"{motion.meeting}, {nhs_date(motion.met_on)}"
    return f"{motion.motion}  {motion.get_status_display()}: {motion.title} ({met})"


def shown(found: Dossier, at: datetime.datetime) -> Iterator[str]:
    """All that its approver has to know. While it is unsettled its effect is counted afresh."""
    content, state = found.content, found.state(at)
    starts = nhs_datetime(content.starts_at) if content.starts_at else "when it is approved"
    words = state.words(holds=found.change.pk in holding_changes(at))
    yield f"Change {found.change.public_id}: {words}"
    yield f"Position: {content.get_position_display()}; {content.get_data_scope_display().lower()}"
    yield f"Strength: {content.get_strength_display()}"
    yield f"Where: {content.where}"
    yield f"Motion: {content.motion.title} ({content.motion.meeting})"
    yield f"Starts: {starts}"
    yield f"Ends: {nhs_datetime(content.ends_at) if content.ends_at else 'no date'}"
    yield f"Words: {content.text}"
    yield f"Reason: {content.reason}"
    yield f"Guidance: {found.guidance.title if found.guidance else 'none is written'}"
    for step in found.steps:
        by = step.made_by.short_name if step.made_by else "the system"
        comment = f": {step.comment}" if step.comment else ""
        yield f"{step.number}. {step.get_kind_display()}, {by}, {nhs_datetime(step.made_at)}{comment}"
    if state in UNSETTLED:
        yield from _effect(found, at)
    yield f"Seen: {found.fingerprint}"


def _effect(found: Dossier, at: datetime.datetime) -> Iterator[str]:
    base, _ = base_now(found, at)
    effect = effect_of(found, base, at)
    yield "What it would do now:"
    if effect.caution:
        yield f"  {effect.caution}"
    for line in effect.lines:
        sent = f" ({line.sent:,} when it was sent)" if line.differs else ""
        yield f"  {line.words}: {line.now:,}{sent}"
    for one in effect.findings:
        kind = "Positions that disagree" if one.clash else "A position without effect"
        yield f"  {kind}: {'; '.join(f'{row.body}, {row.get_position_display()}' for row in one.rows)}"
    yield f"Phrase to type: {effect.phrase or 'none'}"
