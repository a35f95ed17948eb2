"""The gate's answers about a batch of jobs, from facts read now."""

import datetime
from collections.abc import Sequence

from spine.claims import Claimed
from spine.facts import Loaded, load_batch, load_clocks
from spine.gate import Decision, Facts, decide
from spine.kept_nation import kept_nation

# A job, what the gate answers about it, and what the answer rests on.
Decided = tuple[Claimed, Decision, Loaded]


def decide_jobs(jobs: Sequence[Claimed], at: datetime.datetime) -> tuple[list[Decided], dict[int, int]]:
    """Each job with the gate's answer, and the fact clock of each practice. Three queries, whatever their number.

    It counts only under the fence; without it, it is a look.
    """
    nation = kept_nation(at)
    clocks = load_clocks({job.practice_id for job in jobs})
    loaded = load_batch({job.patient_id: (job.kind, False) for job in jobs}, nation)
    # Patients who are alike share their facts, and so the gate's answer.
    answers: dict[int, Decision] = {}
    decided = []
    for job in jobs:
        found = loaded.get(job.patient_id) or Loaded(Facts(job.kind), {}, None)
        decision = answers.get(id(found.facts)) or answers.setdefault(id(found.facts), decide(found.facts))
        decided.append((job, decision, found))
    return decided, clocks
