"""The gate over a batch, beside one query a job: same verdicts, by one rule."""

from collections.abc import Iterator

from bench.harness import Ratio, side_by_side

PATIENTS = 1_000


def run() -> Iterator[Ratio]:
    from django.utils import timezone

    from carerecords.models import Patient
    from spine import facts, gate

    at = timezone.now()
    patients = list(Patient.objects.filter(left_on__isnull=True).order_by("pk")[:PATIENTS])
    verdicts: dict[str, list[gate.Decision]] = {}

    def one_by_one() -> None:
        verdicts["one"] = [gate.decide(facts.load_one(patient, at).facts) for patient in patients]

    def by_batch() -> None:
        asked = {patient.pk: (gate.Kind.UPLOAD, False) for patient in patients}
        loaded = facts.load_batch(asked, facts.load_nation(at))
        verdicts["batch"] = [gate.decide(loaded[patient.pk].facts) for patient in patients]

    slow, fast = side_by_side(one_by_one, by_batch, rounds=3)
    if verdicts["one"] != verdicts["batch"]:
        raise AssertionError("one by one and by batch differ")
    yield Ratio(
        "gate in batches",
        "times one query a job",
        slow / fast,
        goal=20,
        note=f"{PATIENTS / fast:,.0f} patients/s, facts read and decided; {PATIENTS:,} same verdicts",
    )
    everyone = list(
        facts.load_batch({p.pk: (gate.Kind.UPLOAD, False) for p in patients}, facts.load_nation(at)).values()
    )
    decide_only, read_too = side_by_side(
        lambda: [gate.decide(each.facts) for each in everyone], by_batch, rounds=3
    )
    yield Ratio(
        "the rule alone",
        "times facts read and decided",
        read_too / decide_only,
        note=f"{PATIENTS / decide_only:,.0f} decisions/s",
    )
