"""What the policy page shows, read for one practice or for the nation."""

import datetime
from dataclasses import dataclass

from boycott.dispensations.reading import Standing as Dispensed
from boycott.dispensations.reading import dispensed
from boycott.dossier import places
from boycott.findings import Found, findings
from boycott.lattice import examine
from boycott.models import PositionRevision, StanceRevision
from boycott.positions import DataScope, Position, Stance
from boycott.queries import history, place_of, rows_of, stance_of, standing_revisions
from boycott.rules import Revision, conflict, everywhere, positions_for, to_come
from carerecords.models import Practice


@dataclass(frozen=True)
class PolicyPage:
    """`stance` and `answer` are None where no practice is asked about."""

    in_force: list[PositionRevision]
    to_come: list[PositionRevision]
    conflicting: bool
    stance: Stance | None
    answer: StanceRevision | None
    effect: str
    history: list[PositionRevision]
    # Conflicts and positions without effect, in force or to come, wherever they are.
    findings: list[Found]
    # What frees the practice asked about from a position, now or later.
    dispensations: list[Dispensed]
    at: datetime.datetime

    @staticmethod
    def withdrawn(revision: PositionRevision) -> bool:
        return hasattr(revision, "withdrawal")


def policy_page(practice: Practice | None, at: datetime.datetime) -> PolicyPage:
    """Ten queries at most. They grow with the revisions and, for the nation, with the practices."""
    standing = standing_revisions()
    in_force = positions_for(place_of(practice), standing, at) if practice else everywhere(standing, at)
    stance, answer = stance_of(practice) if practice else (None, None)
    conflicting = conflict(in_force)
    return PolicyPage(
        in_force=rows_of(in_force),
        to_come=rows_of(_covering(practice, to_come(standing, at))),
        conflicting=conflicting,
        stance=stance,
        answer=answer,
        effect=_effect(in_force, conflicting),
        history=history(),
        findings=_findings(practice, standing, at),
        dispensations=dispensed(at, practice) if practice else [],
        at=at,
    )


def _covering(practice: Practice | None, revisions: list[Revision]) -> list[Revision]:
    if practice is None:
        return [revision for revision in revisions if revision.is_everywhere]
    place = place_of(practice)
    return [revision for revision in revisions if revision.binds(place, revision.effective_from)]


def _findings(practice: Practice | None, standing: list[Revision], at: datetime.datetime) -> list[Found]:
    """For a practice what concerns it; for the nation every cell of practices."""
    examined = examine(standing, [place_of(practice)] if practice else places(), at)
    if practice is None:
        return findings(examined.clashes, examined.idle)
    # One that reaches nobody here may have its effect elsewhere.
    return findings(examined.clashes, [one for one in examined.idle if one.by])


def _effect(in_force: list[Revision], conflicting: bool) -> str:
    """What the positions in force ask of practices that follow them."""
    asked = {(revision.position, revision.data_scope) for revision in in_force}
    if conflicting:
        return (
            "Positions disagree, so practices that follow BMA policy upload nothing until one is superseded."
        )
    if (Position.NON_COOPERATION, DataScope.ALL) in asked:
        return "Practices that follow it upload nothing, whatever their patients decided."
    if (Position.NON_COOPERATION, DataScope.ADDITIONAL_ONLY) in asked:
        return (
            "Practices that follow it upload medication, allergies and adverse reactions only, "
            "for patients with consent."
        )
    if any(position is Position.EXPLICIT_CONSENT_ONLY for position, _ in asked):
        return "Practices that follow it upload only for patients who gave express consent."
    return (
        "BMA policy stops no upload. A record is uploaded when the patient consents and nobody else holds it."
    )
