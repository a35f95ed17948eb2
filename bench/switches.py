"""People who change the policy and stop all uploads, by the product's own actions."""

import datetime
import time
from dataclasses import dataclass
from typing import Any

REASON = "Measured by a benchmark, on made-up patients."


@dataclass(frozen=True)
class Switch:
    """One change that has committed; moments on the clock of the machine, in seconds.

    `waited`: for the fence, so for the uploads in flight.
    """

    holds: bool
    asked: float
    committed: float
    waited: float

    @property
    def took(self) -> float:
        return self.committed - self.asked


class Switchers:
    """Two policy admins and two national admins."""

    def __init__(self) -> None:
        from boycott.motions import MotionContent, record_motion
        from boycott.positions import Direction, MotionStatus
        from carerecords.permissions import Role

        self.author, self.approver = (_user(Role.POLICY_ADMIN, number) for number in (1, 2))
        self.first, self.second = (_user(Role.NATIONAL_ADMIN, number) for number in (1, 2))
        content = MotionContent(
            body="BMA",
            meeting="Annual Representative Meeting 2007",
            met_on=datetime.date(2007, 6, 27),
            title="Centralised storage of medical records",
            text="That this Meeting advises all doctors not to co-operate.",
            status=MotionStatus.ADOPTED,
            direction=Direction.NON_COOPERATION,
            proposer="",
        )
        self.motion = record_motion(content=content, by=self.author, at=_now()).motion

    def change(self, *, holds: bool) -> Switch:
        """Puts a position into force, as its approval does; what people check before is not measured."""
        from boycott import approvals, desk, drafting, steps
        from boycott.change_states import Step
        from boycott.content import Content
        from boycott.figures import Figures
        from boycott.positions import Position
        from boycott.queries import NATIONAL_LINE

        position = Position.NON_COOPERATION if holds else Position.COOPERATE
        content = Content(motion=self.motion, position=position, reason=REASON)
        found = drafting.draft_change(line=NATIONAL_LINE, content=content, by=self.author, at=_now())
        with desk.taken():
            steps.take(found, Step.SUBMITTED, by=self.author, at=_now(), figures=Figures())
        asked = time.time()
        with desk.taken():
            done = approvals._put_into_force(
                found, REASON, Figures(), self.approver, _now(), time.monotonic()
            )
        return Switch(holds, asked, time.time(), done.quiet.waited.total_seconds())

    def stop(self) -> Switch:
        """One national admin stops all uploads."""
        from spine.policy.actions import stop_uploads

        asked = time.time()
        quiet = stop_uploads(reason=REASON, by=self.first, at=_now())
        return Switch(True, asked, time.time(), quiet.waited.total_seconds())

    def resume(self) -> Switch:
        """Two national admins let them go on."""
        from carerecords.confirmation import Confirmation
        from spine.policy.actions import agree_to_resume, ask_to_resume

        ask_to_resume(reason=REASON, by=self.first, at=_now())
        at, asked = _now(), time.time()
        confirmed = Confirmation(self.second.pk, at)
        agree_to_resume(note=REASON, confirmed=confirmed, by=self.second, at=at)
        return Switch(False, asked, time.time(), 0)


def everybody_follows() -> None:
    """Every practice that has patients answers that it follows the policy."""
    from boycott.actions import set_stance
    from boycott.positions import Stance
    from carerecords.models import Patient, Practice
    from carerecords.permissions import Role

    for practice in Practice.objects.filter(pk__in=Patient.objects.values("practice").distinct()):
        set_stance(
            practice=practice,
            stance=Stance.FOLLOW,
            agreed_by="The partners",
            agreed_on=_now().date(),
            by=_user(Role.PRACTICE_MANAGER, practice.pk, practice.ods_code),
            at=_now(),
        )


def _user(role: Any, number: int, ods_code: str | None = None) -> Any:
    from carerecords import staffing

    return staffing.give_role(
        email=f"bench.{role.value.lower()}{number}@test.example",
        role=role,
        ods_code=ods_code,
        at=_now(),
        given_name="Bench",
        family_name=f"Switcher{number}",
    ).user


def _now() -> datetime.datetime:
    from django.utils import timezone

    return timezone.now()
