"""What the store holds for the jobs of a batch, asked before the fence is taken.

Cost: one question a job, and one more for a notice on a copy of ours, each in a slot of the rate; two
reservations and two queries at most, whatever the number of jobs.
"""

from collections.abc import Callable, Sequence

from carerecords.many_rows import Flat
from carerecords.models import Patient
from spine.gate import Kind
from spine.models import StoreCopy
from spine.sending.answers import Answer, AnswerKind
from spine.sending.claims import Claimed
from spine.sending.client import CurrentSummary
from spine.sending.slots import Slots
from spine.sending.store import Current, Found, Store

_NUMBERS = Flat(lambda: Patient.objects.values_list("pk", "nhs_number"))
_OURS = Flat(lambda: StoreCopy.objects.values_list("pk", "composition_id"))


def ask_store(store: Store, jobs: Sequence[Claimed]) -> Current:
    """What the store holds for the jobs' patients; without those that there was no slot for.

    For a notice that is the copy itself too, where it is the one that we sent last.
    """
    numbers = dict(_NUMBERS.rows(job.patient_id for job in jobs))
    jobs = [job for job in jobs if job.patient_id in numbers]
    found = _in_slots(
        store, len(jobs), lambda slots: store.read([numbers[job.patient_id] for job in jobs], slots)
    )
    current = {job.job_id: one for job, one in zip(jobs, found, strict=True)}
    notices = _to_put_notices_on([job for job in jobs if job.kind is Kind.NOTICE], current)
    # In slots of their own: an answer may take longer than it is from one slot to the next.
    copies = _in_slots(
        store,
        len(notices),
        lambda slots: store.read_copies([(numbers[job.patient_id], held) for job, held in notices], slots),
    )
    current |= {job.job_id: one for (job, _), one in zip(notices, copies, strict=True)}
    return {job_id: one for job_id, one in current.items() if not _not_asked(one)}


def _to_put_notices_on(jobs: Sequence[Claimed], current: Current) -> list[tuple[Claimed, CurrentSummary]]:
    """The jobs whose patients' copy is the one that we sent last: no other practice's is read."""
    ours = dict(_OURS.rows(job.patient_id for job in jobs)) if jobs else {}
    found = [(job, current[job.job_id]) for job in jobs]
    return [
        (job, one)
        for job, one in found
        if isinstance(one, CurrentSummary)
        and one.composition_id
        and one.composition_id.lower() == str(ours.get(job.patient_id))
    ]


def _in_slots(store: Store, count: int, ask: Callable[[Slots], list[Found]]) -> list[Found]:
    """Asks so many questions in slots reserved for them, and heeds what the store says of its rate."""
    slots = store.rate.reserve(count) if count else None
    if slots is None:
        return [Answer(AnswerKind.NOT_SENT)] * count
    found = ask(slots)
    store.rate.give_back(slots)
    store.rate.heed(one for one in found if isinstance(one, Answer))
    return found


def _not_asked(found: Found) -> bool:
    return isinstance(found, Answer) and found.kind is AnswerKind.NOT_SENT
