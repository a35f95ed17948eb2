"""I1 to I6: what must hold of everything that was seen, whatever went wrong. Pure.

The rule is written here a second time, small, for what the scenarios do: express decisions, one national
line of policy for all England, practices' and GPs' answers, stops. It shares no line with the gate.
"""

import datetime
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

from faults.witness import Event, Line, Moment, Seen

PERMITTING = {"EXPRESS_CORE", "EXPRESS_ADDITIONAL"}
ARRIVED = {"ACCEPTED", "DUPLICATE", "FOUND"}
UNDER_WAY = {"SENDING", "IN_DOUBT"}
NOW = datetime.datetime.max.replace(tzinfo=datetime.UTC)
WORDS = {
    "I1": "no send begins after a change that forbids it has committed",
    "I2": "nothing is accepted that was forbidden when it was accepted",
    "I3": "each job is accepted once",
    "I4": "each accepted message has its intent before and its result after",
    "I5": "accepted here if and only if accepted there",
    "I6": "every job ends or is visibly held; none is lost",
    "I7": "what may only grow has only grown",
    "I8": "reports equal a recount",
    "I9": "no patient in logs, messages of the broker or addresses",
}


def check(seen: Seen) -> dict[str, list[str]]:
    """The violations of I1 to I6, each as a sentence with where to look."""
    return {
        "I1": [_place(line, why) for line in seen.lines if (why := _forbidden(seen, line, line.received_at))],
        "I2": [_place(line, why) for line in seen.lines if (why := _forbidden(seen, line, line.accepted_at))],
        "I3": list(_more_than_once(seen)),
        "I4": list(_unproved(seen)),
        "I5": [*_differing(seen), *_worked_on_again(seen), *_two_at_once(seen), *_copies(seen)],
        "I6": [*_lost(seen), *_unfinished(seen), *_left_there(seen)],
    }


def _place(line: Line, why: str) -> str:
    return f"ledger line {line.sequence}: {why}"


def _forbidden(seen: Seen, line: Line, moment: Moment) -> str:
    """Why a message may not have left at that moment, or nothing. A withdrawal always may."""
    if line.is_blank:
        return ""
    patient = seen.patients.get(line.nhs_number)
    if patient is None:
        return "nobody's number"
    if (stop := _last(seen.stops, moment)) and stop.stopped:
        return f"uploads were stopped (stop {stop.id})"
    if not _permits(seen.consents.get(patient.id, ()), moment):
        return f"the patient of record {patient.id} did not consent"
    if (gp := _last(seen.gp_stances.get(patient.usual_gp_id, ()), moment)) and gp.stance == "HOLD":
        return f"the usual GP holds (answer {gp.id})"
    stance = _last(seen.stances.get(patient.practice_id, ()), moment)
    if stance and stance.stance == "HOLD":
        return f"the practice holds (answer {stance.id})"
    position = _last(seen.positions, moment)
    in_force = position and position.position == "NON_COOPERATION" and position.effective_from <= moment
    if in_force and not (stance and stance.stance == "DO_NOT_FOLLOW"):
        return f"the policy forbade it (revision {position.id})"
    return ""


def _last(events: Sequence[Event], moment: Moment) -> Any:
    """What stood at a moment: the last row that had committed before it."""
    place = bisect_left(events, moment, key=lambda event: event.committed)
    return events[place - 1].row if place else None


def _permits(events: Sequence[Event], moment: Moment) -> bool:
    """Whether what stood at a moment is a consent."""
    standing = _standing(events, moment)
    return standing is not None and standing.preference in PERMITTING


def _standing(events: Sequence[Event], moment: Moment) -> Any:
    """The latest decision that had committed before a moment and was not taken back by then, or None."""
    known = [event.row for event in events if event.committed < moment]
    back = {row.reverses_id for row in known if row.reverses_id}
    standing = [row for row in known if row.kind == "DECISION" and row.id not in back]
    return max(standing, key=lambda row: (row.decided_on, row.id), default=None)


def _job_of(seen: Seen, line: Line) -> Any:
    intents = seen.intents.get(line.composition)
    return seen.jobs[intents[0].row.job_id] if intents else None


def _more_than_once(seen: Seen) -> Iterator[str]:
    compositions: dict[str, int] = defaultdict(int)
    jobs: dict[int, int] = defaultdict(int)
    for line in seen.lines:
        compositions[line.composition] += 1
        if (job := _job_of(seen, line)) is not None:
            jobs[job.id] += 1
    for composition, number in compositions.items():
        if number > 1:
            yield f"message {composition} was accepted {number} times"
    for job, number in jobs.items():
        if number > 1:
            yield f"job {job} was accepted {number} times"


def _unproved(seen: Seen) -> Iterator[str]:
    for line in seen.lines:
        intents = seen.intents.get(line.composition, [])
        if not any(event.committed < line.received_at for event in intents):
            yield _place(line, "no intent was committed before it came")
            continue
        job = seen.jobs[intents[0].row.job_id]
        results = [
            event
            for event in seen.receipts.get(job.id, [])
            if event.row.kind in ARRIVED and str(event.row.composition_id) == line.composition
        ]
        if not results and job.state not in UNDER_WAY:
            yield f"job {job.id}: accepted, and no receipt says so"
        if any(event.committed < line.accepted_at for event in results):
            yield f"job {job.id}: its receipt was there before the store had accepted it"


def _differing(seen: Seen) -> Iterator[str]:
    there = {job.id for line in seen.lines if (job := _job_of(seen, line)) is not None}
    for job in seen.jobs.values():
        if job.state == "ACCEPTED" and job.id not in there:
            yield f"job {job.id} is accepted here, and not there"
        if job.state not in {"ACCEPTED", *UNDER_WAY} and job.id in there:
            yield f"job {job.id} is {job.state} here, and accepted there"
    arrived = {line.composition for line in seen.lines}
    for events in seen.receipts.values():
        for event in events:
            if event.row.kind in ARRIVED and str(event.row.composition_id) not in arrived:
                yield f"job {event.row.job_id}: a receipt of what never came"


def _worked_on_again(seen: Seen) -> Iterator[str]:
    """A late write took back what was known: somebody decided anew about a job that had been accepted."""
    accepted: dict[int, Event] = {}
    for events in seen.receipts.values():
        for event in events:
            if event.row.kind in ARRIVED:
                accepted.setdefault(event.row.job_id, event)
    for decision in seen.decisions:
        first = accepted.get(decision.row.job_id)
        if first and decision.row.attempt > first.row.attempt and decision.committed > first.committed:
            yield f"job {decision.row.job_id}: decided anew after it was accepted"


def _two_at_once(seen: Seen) -> Iterator[str]:
    """A second sender meant to send a job while the first, within its lease, had not told what came of it."""
    intents: dict[int, list[Event]] = defaultdict(list)
    for event in (one for of_message in seen.intents.values() for one in of_message):
        intents[event.row.job_id].append(event)
    for job, events in intents.items():
        events.sort(key=lambda event: event.committed)
        for first, second in pairwise(events):
            told = any(
                event.row.attempt == first.row.attempt and event.committed < second.committed
                for event in seen.receipts.get(job, [])
            )
            if not told and second.committed - first.committed < seen.lease / 2:
                yield f"job {job}: attempt {second.row.attempt} began while {first.row.attempt} was under way"


def _copies(seen: Seen) -> Iterator[str]:
    """What we believe to be at the store, against what is."""
    current = {line.nhs_number: line for line in seen.lines}
    busy = {job.patient_id for job in seen.jobs.values() if job.state in UNDER_WAY}
    for number, line in current.items():
        # Nobody's number is a violation of I1 already.
        if (patient := seen.patients.get(number)) is None:
            continue
        copy = seen.copies.get(patient.id)
        if patient.id not in busy and (copy is None or copy.composition_id != line.composition):
            yield f"record {patient.id}: another copy is there than we noted"


def _lost(seen: Seen) -> Iterator[str]:
    """Every decision that stands has a job that was asked for by it or later. An older one of a file asks for nothing."""
    last: dict[int, Any] = {}
    for job in sorted(seen.jobs.values(), key=lambda job: int(job.id)):
        last[job.patient_id] = job
    for patient, events in seen.consents.items():
        standing = _standing(events, NOW)
        if events[-1].row.kind != "DECISION" or standing is None:
            continue
        job = last.get(patient)
        if job is None or job.requested_at < standing.recorded_at:
            yield f"record {patient}: the job of its last decision is gone"


def _unfinished(seen: Seen) -> Iterator[str]:
    for job in seen.jobs.values():
        if job.state in UNDER_WAY:
            yield f"job {job.id} is still {job.state}"
        elif job.state == "WAITING" and job.due_at is None:
            yield f"job {job.id} waits for nothing"
        elif job.state in {"HELD", "CANCELLED", "FAILED"} and not job.reasons:
            yield f"job {job.id} is {job.state} without a reason"
        elif job.kind == "UPLOAD":
            yield from _told_no(seen, job)


def _told_no(seen: Seen, job: Any) -> Iterator[str]:
    """The store's "no permission" is for people to settle, and never asked for again by itself."""
    times = sum(event.row.http_status == 403 for event in seen.receipts.get(job.id, []))
    if times and job.state not in {"HELD", "CANCELLED"}:
        yield f"job {job.id}: the store said no, and it is {job.state}"
    if times > 1:
        yield f"job {job.id}: the store said no {times} times"
    if times and job.state == "HELD" and job.patient_id not in seen.mismatches:
        yield f"job {job.id}: the store said no, and nobody is told of the difference"


def _left_there(seen: Seen) -> Iterator[str]:
    """Whoever refuses by now has nothing at the store that can be read, unless that is shown as undone."""
    undone = {
        job.patient_id
        for job in seen.jobs.values()
        if job.kind == "WITHDRAWAL" and job.state in {"WAITING", "FAILED"}
    }
    for number, line in {line.nhs_number: line for line in seen.lines}.items():
        if line.is_blank or number not in seen.patients:
            continue
        patient = seen.patients[number].id
        if patient not in undone and not _permits(seen.consents.get(patient, ()), NOW):
            yield f"record {patient}: refused, and its summary is still there"


def has_decided(seen: Seen, patient: int) -> bool:
    """Whether a decision of the patient stands."""
    return state_of(seen, patient) != "NONE"


def state_of(seen: Seen, patient: int) -> str:
    """The preference that stands by now; NONE without one."""
    standing = _standing(seen.consents.get(patient, ()), NOW)
    return str(standing.preference) if standing else "NONE"
