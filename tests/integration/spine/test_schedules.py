"""Random schedules of people, faults and senders against a small model of what may be at the store.

Rows, statements, batches and recoveries are the product's own; in the place of the network stands
`ModelStore`. So a schedule costs a fraction of a second, and ten thousand can be run (`make schedules`).
What processes do to each other is shown by the fault run.
"""

import os
import threading
import uuid

import pytest
from django.db import connection, transaction
from django.db.models import Q
from django.utils import timezone
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

import spine.sending.store
from boycott.actions import set_stance
from boycott.models import PositionRevision
from boycott.positions import Position, Stance
from boycott.queries import NATIONAL_LINE
from carerecords import fence, upload_queue
from carerecords.confirmation import Confirmation
from carerecords.models import Cause, JobState, UploadJob
from carerecords.permissions import Role
from consent import many
from spine.models import Receipt, StoreCopy, UploadAttempt
from spine.policy.actions import agree_to_resume, ask_to_resume, stop_uploads
from spine.sending import pipeline, proof, recovery
from spine.sending.store import Store
from tests.conftest import empty_database
from tests.factories import make_item, make_patient, make_practice, make_user
from tests.integration.spine.model_store import Died, ModelClient, ModelStore
from tests.localstore_process import fresh_nhs_number

SCHEDULES = int(os.environ.get("SCHEDULES") or 15)
STEPS = 25
PATIENTS = 3
# Each in its own way: before anything is decided, with an intent, and with an answer that nobody wrote down.
DEATHS = {
    "after the claim": (pipeline, "_ask_store"),
    "before the intent": (proof, "write_intents"),
    "after the intent": (Store, "send"),
    "before the receipt": (pipeline, "_write"),
    "in the receipts' transaction": (proof, "note_copies"),
}
FREEZES = {"after the claim": (pipeline, "_ask_store"), "before the receipt": (pipeline, "_write")}
WRONG = ["lost before", "lost after", "not now", "dies", "repeated"]
patients = st.integers(0, PATIENTS - 1)

_DECISION = """
SELECT id, id, %(preference)s, 'IN_PERSON', %(day)s::date, '', '', '', '', false, NULL::bigint
FROM carerecords_patient WHERE id = %(patient)s
"""


class Frozen(threading.Thread):
    """A batch that stops at a point until it is thawed, with a connection of its own."""

    def __init__(self, store, point):
        super().__init__()
        self._store = store
        self._point = FREEZES[point]
        self.there, self._thaw = threading.Event(), threading.Event()
        self.error = None

    def freeze(self):
        place, name = self._point
        step = getattr(place, name)

        def waits(*args, **kwargs):
            if threading.current_thread() is self:
                self.there.set()
                assert self._thaw.wait(60)
            return step(*args, **kwargs)

        setattr(place, name, waits)
        try:
            self.start()
            while not self.there.wait(0.005) and self.is_alive():
                pass
        finally:
            setattr(place, name, step)

    def thaw(self):
        self._thaw.set()
        self.join()
        if self.error:
            raise self.error

    def run(self):
        try:
            pipeline.send_batch(self._store, limit=2)
        except Died:
            pass
        except BaseException as error:  # noqa: BLE001 - raised by whoever thaws it
            self.error = error
        finally:
            connection.close()


class Schedules(RuleBasedStateMachine):
    """The model: who consents, what the practice answered, whether the policy or a stop holds."""

    store = None

    @initialize()
    def begin(self):
        # What grows from schedule to schedule would make each slower than the one before.
        empty_database()
        self.admins = (make_user(Role.NATIONAL_ADMIN), make_user(Role.NATIONAL_ADMIN))
        self.practice = make_practice()
        self.gp, self.manager = (
            make_user(Role.GP, self.practice),
            make_user(Role.PRACTICE_MANAGER, self.practice),
        )
        self.patients = [
            make_patient(self.practice, usual_gp=self.gp, nhs_number=fresh_nhs_number())
            for _ in range(PATIENTS)
        ]
        self.consents = dict.fromkeys((one.nhs_number for one in self.patients), False)
        self.stance, self.policy, self.stopped = Stance.FOLLOW, False, False
        self.world = ModelClient.world = ModelStore(self.allows)
        self.frozen = []

    def allows(self, nhs_number):
        followed = self.policy and self.stance is not Stance.DO_NOT_FOLLOW
        return self.consents[nhs_number] and not (self.stopped or followed or self.stance is Stance.HOLD)

    # What people do.

    @rule(who=patients, consents=st.booleans())
    def decide(self, who, consents):
        patient, at = self.patients[who], timezone.now()
        values = {
            "preference": "EXPRESS_CORE" if consents else "EXPRESS_DISSENT",
            "day": timezone.localdate(at),
            "patient": patient.pk,
        }
        with_practice = {"practice_id": self.practice.pk, "run_id": None, "by": self.gp, "at": at}
        with transaction.atomic():
            many.record_many(_DECISION, values, **with_practice, same_is_enough=True)
        self.consents[patient.nhs_number] = consents

    @rule(who=patients)
    def change_record(self, who):
        patient, at = self.patients[who], timezone.now()
        if self.consents[patient.nhs_number]:
            with transaction.atomic():
                many.lock([patient.pk])
                make_item(patient)
                upload_queue.request_uploads([patient.pk], cause=Cause.UPDATE, by=None, at=at, not_before=at)

    @rule(stance=st.sampled_from(Stance))
    def answer(self, stance):
        now = timezone.now()
        how = {"agreed_by": "Partners", "agreed_on": timezone.localdate(now), "by": self.manager, "at": now}
        set_stance(practice=self.practice, stance=stance, **how)
        self.stance = stance

    @rule()
    def switch_policy(self):
        now = timezone.now()
        with fence.changing():
            PositionRevision.objects.create(
                line=NATIONAL_LINE,
                number=PositionRevision.objects.filter(line=NATIONAL_LINE).count() + 1,
                body="BMA",
                position=Position.COOPERATE if self.policy else Position.NON_COOPERATION,
                text="As the meeting decided.",
                effective_from=now,
                made_at=now,
                reason="As the meeting decided.",
            )
        self.policy = not self.policy

    @rule()
    def stop_or_resume(self):
        first, second = self.admins
        now = timezone.now()
        if self.stopped:
            ask_to_resume(reason="Mended.", by=first, at=now)
            agree_to_resume(note="Seen.", confirmed=Confirmation(second.pk, now), by=second, at=now)
        else:
            stop_uploads(reason="A fault was found.", by=first, at=now)
        self.stopped = not self.stopped

    # What senders do, and what befalls them.

    @rule(limit=st.integers(1, PATIENTS))
    def send(self, limit):
        self._batch(limit)

    @rule(point=st.sampled_from(sorted(DEATHS)))
    def die(self, point):
        place, name = DEATHS[point]
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(place, name, _dying)
            self._batch(PATIENTS)

    @precondition(lambda self: len(self.frozen) < 2)
    @rule(point=st.sampled_from(sorted(FREEZES)))
    def freeze(self, point):
        one = Frozen(self.store, point)
        one.freeze()
        self.frozen.append(one)

    @precondition(lambda self: self.frozen)
    @rule()
    def thaw(self):
        self.frozen.pop(0).thaw()

    @precondition(lambda self: len(self.world.answers) < 3)
    @rule(wrong=st.sampled_from(WRONG))
    def go_wrong(self, wrong):
        self.world.answers.append(wrong)

    @rule()
    def recover(self):
        recovery.release_expired()
        recovery.resolve_doubt(self.store)

    @rule()
    def time_passes(self):
        UploadJob.objects.filter(state__in=[JobState.WAITING, JobState.IN_DOUBT]).update(
            due_at=timezone.now()
        )

    def _batch(self, limit):
        try:
            return pipeline.send_batch(self.store, limit=limit).claimed
        except Died:
            return 1

    # What must hold.

    @invariant()
    def nothing_forbidden_was_accepted(self):
        if hasattr(self, "world"):
            assert self.world.forbidden == []

    @invariant()
    def nothing_was_accepted_twice(self):
        if hasattr(self, "world"):
            ids = [one.composition_id for one in self.world.accepted]
            assert len(ids) == len(set(ids))

    def teardown(self):
        if not hasattr(self, "world"):
            return
        for one in self.frozen:
            one.thaw()
        self.world.answers.clear()
        if self.policy:
            self.switch_policy()
        if self.stopped:
            self.stop_or_resume()
        self.answer(Stance.FOLLOW)
        for _ in range(4):
            self.time_passes()
            self.recover()
            while self._batch(PATIENTS):
                pass
        self._books_agree()

    def _books_agree(self):
        assert self.world.forbidden == []
        jobs = UploadJob.objects.filter(patient__in=self.patients)
        assert set(jobs.values_list("state", flat=True)) <= {JobState.ACCEPTED, JobState.CANCELLED}
        assert not jobs.filter(Q(state=JobState.CANCELLED) & Q(reasons=[])).exists()
        sent = dict(UploadAttempt.objects.filter(job__in=jobs).values_list("composition_id", "job"))
        arrived = [sent[_id(one)] for one in self.world.accepted]
        assert len(arrived) == len(set(arrived)), "a job was accepted twice"
        assert set(arrived) == set(jobs.filter(state=JobState.ACCEPTED).values_list("pk", flat=True))
        told = Receipt.objects.filter(job__in=jobs, composition_id__isnull=False)
        assert set(told.values_list("composition_id", flat=True)) == {_id(one) for one in self.world.accepted}
        for patient in self.patients:
            last = self.world.current(patient.nhs_number)
            copy = StoreCopy.objects.filter(patient=patient).values_list("composition_id", flat=True).first()
            assert (copy or None) == (str(_id(last)) if last else None)
            assert self.consents[patient.nhs_number] == bool(last and not last.is_blank)


def _id(arrival):
    return uuid.UUID(arrival.composition_id)


def _dying(*args, **kwargs):
    raise Died


@pytest.fixture
def machine(transactional_db, settings, monkeypatch):
    """The machine with its sender: leases that are over at once, and nothing that could still arrive."""
    settings.SPINE_READ_TIMEOUT_SECONDS = -10
    settings.UNDO_WINDOW_SECONDS = 0
    monkeypatch.setattr(spine.sending.store, "SpineClient", ModelClient)
    Schedules.store = Store()
    yield Schedules
    Schedules.store.close()


@pytest.mark.timeout(0 if os.environ.get("SCHEDULES") else 120)
def test_no_schedule_sends_what_is_forbidden_loses_or_repeats_anything(machine):
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=SCHEDULES,
            stateful_step_count=STEPS,
            deadline=None,
            # Each try of a shorter schedule costs as much as the schedule: minutes, for a page less to read.
            phases=[Phase.explicit, Phase.reuse, Phase.generate],
            suppress_health_check=list(HealthCheck),
        ),
    )
