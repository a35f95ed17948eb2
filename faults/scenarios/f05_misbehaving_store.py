"""F5: the store misbehaves in each of its ways, a message arrives long after it was given up, and asks to wait."""

import datetime
import time
from typing import Any

from faults import people, witness
from faults.site import wait_until
from faults.trial import Trial

# Each way strikes so often, at a message or at a question.
STRIKES = 4
# A message counts as lost after seven seconds and two sweeps, and is tried again a rung later. So the first come
# before it is tried again, the second after that.
LATE = ((9.5, 13.0), (16.0, 20.0))
RUNG = 6.0
SLOW = {"slow_answer": 0.2, "delay": 1.0, "silence_before": 1.0, "lost_answer": 0.5}
ASKED_TO_WAIT = 3.0
# Answers after which the same message is never sent again by itself, and the reason that people are shown.
NEVER_TAKEN = {"REFUSED": "tech.refused", "TOO_LARGE": "tech.too_large", "UNSUPPORTED": "tech.unsupported"}
IN_FLIGHT = datetime.timedelta(seconds=0.5)


def run(trial: Trial) -> None:
    site, nursery = trial.site, trial.site.nursery
    surgeries = people.surgeries(3, trial.times(160, least=60))
    patients = sum(len(each.patients) for each in surgeries)
    strikes = _order_all(trial)
    late = _order_late(trial, patients)
    for surgery in surgeries:
        people.decide(surgery, surgery.patients, consent=True)
    nursery.start(sends=3, recovers=1, ladder=RUNG)
    wait_until(lambda: _struck(trial) >= strikes + late or people.open_jobs() == 0, 120, "every fault struck")
    trial.keep()
    struck = _struck(trial)
    site.clear_faults()
    trial.inject(
        f"{struck} answers of {len(KINDS)} bad kinds, {late} of them {LATE[0][0]:.0f} to {LATE[-1][-1]:.0f} s late, at {patients} uploads"
    )
    wait_until(lambda: not _unsettled(), 120, "uploads settled", every=0.25)
    nursery.stop_all()
    # What comes late has come by then.
    time.sleep(LATE[-1][-1])
    _given_up_once(trial)
    _asked_to_wait(trial, surgeries[0])


def kinds() -> list[str]:
    """Every way in which the store can misbehave."""
    from spine.localstore.faults import KINDS as known

    return sorted(set(known) - {"too_many"})


KINDS = kinds()


def _order_all(trial: Trial) -> int:
    ordered = 0
    for number, kind in enumerate(KINDS):
        for target in ("upload", "find"):
            times = trial.times(STRIKES) if target == "upload" else 1
            seed = trial.dice.randrange(10**6) + number
            trial.site.order_fault(
                kind, target=target, times=times, probability=0.2, seed=seed, seconds=SLOW.get(kind, 1.0)
            )
            ordered += times
    return ordered


def _order_late(trial: Trial, patients: int) -> int:
    number = max(8, patients // 40)
    for place in range(number):
        seconds = trial.dice.uniform(*LATE[place % len(LATE)])
        trial.site.order_fault(
            "delay", times=1, probability=0.2, seed=trial.dice.randrange(10**6), seconds=seconds
        )
    return number


def _struck(trial: Trial) -> int:
    return sum(int(one["struck"]) for one in trial.site.faults())


def _unsettled() -> bool:
    """Whether anything is to come but what the store said no to."""
    from carerecords.models import UploadJob

    return UploadJob.objects.filter(finished_at=None).exclude(state="HELD").exists()


def _given_up_once(trial: Trial) -> None:
    """What can never be taken failed at its first such answer, with its reason, in front of people."""
    from carerecords.models import Practice, UploadJob
    from spine.models import Receipt
    from spine.uploads.problems import problems_of

    answers = list(Receipt.objects.filter(kind__in=NEVER_TAKEN).values_list("job", "kind"))
    wanted = {(job, NEVER_TAKEN[kind]) for job, kind in answers}
    failed = set(UploadJob.objects.filter(state="FAILED").values_list("pk", "reasons__0"))
    trial.must(len(wanted) == len(answers), f"{len(answers)} answers that end it, to {len(wanted)} messages")
    trial.must(wanted and failed == wanted, f"{len(failed)} uploads failed, {len(wanted)} should")
    causes = (cause for practice in Practice.objects.all() for cause in problems_of(practice))
    shown = sum(group.number for cause, group in causes if cause.can_be_tried)
    trial.must(shown == len(failed), f"{shown} of {len(failed)} failed uploads are shown to people")
    trial.figure(f"{len(failed)} uploads that can never be taken failed at once")


def _asked_to_wait(trial: Trial, surgery: people.Surgery) -> None:
    """429 with seconds and with a date pauses everybody for as long; an absurd time for an hour at most."""
    trial.site.rate = 50
    _waits(trial, surgery, f"{ASKED_TO_WAIT:.0f}", ASKED_TO_WAIT)
    # An HTTP date has whole seconds only.
    _waits(trial, surgery, "date", ASKED_TO_WAIT - 1)
    _waits_no_longer(trial, surgery)


def _waits(trial: Trial, surgery: people.Surgery, form: str, least: float) -> None:
    site, before = trial.site, _too_many().count()
    site.order_fault("too_many", times=1, retry_after=form, seconds=ASKED_TO_WAIT)
    people.ask_for_updates(surgery, surgery.patients[:20])
    sender = site.start_nursery().start(sends=1, recovers=1, ladder=1.0)
    wait_until(lambda: _too_many().count() > before, 20, "a 429")
    wait_until(lambda: not _unsettled(), 40, "uploads after a 429")
    sender.stop()
    site.clear_faults()
    waited = _pause_after(witness.ledger(site.base_url), _too_many().latest("pk").at)
    trial.within(f"429 ({form}): waited too little by", max(0.0, least - waited), 0.05 * least)
    trial.within(f"429 ({form}): waited", waited, ASKED_TO_WAIT + 3)


def _waits_no_longer(trial: Trial, surgery: people.Surgery) -> None:
    from carerecords.models import UploadJob
    from spine.models import RequestPace
    from spine.sending.rate import LONGEST_PAUSE_SECONDS

    site = trial.site
    site.order_fault("too_many", times=1, retry_after=str(10**9))
    people.ask_for_updates(surgery, surgery.patients[:20])
    sender = site.start_nursery().start(sends=1)
    wait_until(lambda: UploadJob.objects.filter(failures=1, finished_at=None).exists(), 20, "an absurd 429")
    sender.stop()
    site.clear_faults()
    paused_until = RequestPace.objects.get().paused_until
    assert paused_until is not None
    pause = (paused_until - datetime.datetime.now(datetime.UTC)).total_seconds()
    trial.within("429 (10^9 s): everybody waits", pause, LONGEST_PAUSE_SECONDS)
    # Else nothing would come to rest for an hour.
    RequestPace.objects.all().delete()
    site.start_nursery().start(sends=1, recovers=1)


def _too_many() -> Any:
    from spine.models import Receipt

    return Receipt.objects.filter(kind="RATE_LIMITED")


def _pause_after(lines: list[dict[str, Any]], told: datetime.datetime) -> float:
    """Until when nothing reached the store after the answer that asked for it, but for what was in flight by then."""
    moments = [datetime.datetime.fromisoformat(line["received_at"]) for line in lines]
    return min((moment - told).total_seconds() for moment in moments if moment > told + IN_FLIGHT)
