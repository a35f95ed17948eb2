"""The gate's answers about a batch of jobs, from facts read now."""

import datetime
from collections.abc import Sequence
from dataclasses import replace

from carerecords.many_rows import Flat
from spine.facts import Loaded, load_batch, load_clocks
from spine.gate import Decision, Facts, Kind, Notice, decide
from spine.runs.asking import notice_asked
from spine.runs.codes import RunKind
from spine.runs.models import SendingRow
from spine.sending.claims import Claimed
from spine.sending.kept_nation import kept_nation

# A job, what the gate answers about it, and what the answer rests on.
Decided = tuple[Claimed, Decision, Loaded]
_ASKED_BY = Flat(lambda: SendingRow.objects.values_list("job_id", "run__kind"))


def decide_jobs(jobs: Sequence[Claimed], at: datetime.datetime) -> tuple[list[Decided], dict[int, int]]:
    """Each job with the gate's answer, and the fact clock of each practice. Three queries, whatever their number,
    and one more where there are notices.

    It counts only under the fence; without it, it is a look.
    """
    nation = kept_nation(at)
    clocks = load_clocks({job.practice_id for job in jobs})
    loaded = load_batch({job.patient_id: (job.kind, False) for job in jobs}, nation)
    notices = _notices(jobs)
    # Patients who are alike share their facts, and so the gate's answer.
    answers: dict[int, Decision] = {}
    decided = []
    for job in jobs:
        found = loaded.get(job.patient_id) or Loaded(Facts(job.kind), {}, None, None)
        if job.kind is Kind.NOTICE:
            found = found._replace(facts=replace(found.facts, notice=notices.get(job.job_id, Notice.LEFT)))
        decision = answers.get(id(found.facts)) or answers.setdefault(id(found.facts), decide(found.facts))
        decided.append((job, decision, found))
    return decided, clocks


def _notices(jobs: Sequence[Claimed]) -> dict[int, Notice]:
    """Which notice each job's run asked for."""
    ids = [job.job_id for job in jobs if job.kind is Kind.NOTICE]
    return {job_id: notice_asked(RunKind(kind)) for job_id, kind in _ASKED_BY.rows(ids)} if ids else {}
