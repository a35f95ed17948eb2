"""What a change of policy would do, counted by the gate's own rules over a million patients of all the
practices of England."""

import json
import random
from collections import Counter
from collections.abc import Iterator
from typing import Any

from bench import harness
from bench.harness import Ratio, side_by_side

PATIENTS = 1_000_000
# The least that any count by practice and decision costs is one pass over the same rows.
MOST_TIMES_A_COUNT = 12
PRACTICES_ONE_BY_ONE, BATCH, TIMES_ONE_BY_ONE = 60, 500, 20
ROUNDS = 3
DECISIONS_A_SECOND = 250_000
# How far any plan node may look up rows one by one: a look-up a patient would be the whole cost.
MOST_LOOPS = 20_000

# In the proportions of the real lists: whoever has more patients gets more.
_PATIENTS = """
INSERT INTO carerecords_patient (public_id, practice_id, usual_gp_id, nhs_number, title, given_name, family_name,
    preferred_name, born_on, gender, address, postcode, identity, is_sensitive, registered_on, letter_sent_on,
    consent_state, consent_source)
SELECT gen_random_uuid(), practice.id, gps.ids[1 + n %% cardinality(gps.ids)],
    lpad((row_number() OVER ())::text, 10, '0'), '', 'Given', 'Family' || n, '', DATE '1950-01-01' + n %% 20000,
    'FEMALE', '', '', CASE WHEN n %% 50 = 0 THEN 'UNVERIFIED' ELSE 'VERIFIED' END, n %% 200 = 0,
    DATE '2015-03-02', CASE WHEN n %% 3 = 0 THEN DATE '2020-03-02' END,
    (ARRAY['EXPRESS_CORE', 'EXPRESS_ADDITIONAL', 'EXPRESS_CORE', 'EXPRESS_CORE', 'NONE', 'EXPRESS_CORE',
           'EXPRESS_ADDITIONAL', 'EXPRESS_CORE', 'EXPRESS_DISSENT', 'EXPRESS_CORE'])[1 + n %% 10], 'FORM'
FROM carerecords_practice AS practice, (SELECT array_agg(id ORDER BY id) AS ids FROM carerecords_user) AS gps,
    generate_series(1, ceil(practice.list_size * %(patients)s::float
        / (SELECT sum(list_size) FROM carerecords_practice))::int) AS n
"""
_COPIES = """
INSERT INTO spine_storecopy (patient_id, composition_id, content_hash, scope, is_blank, permission, accepted_at)
SELECT id, '', '', 'CORE', id % 20 = 0, (ARRAY['Ask', 'Yes', '', 'No'])[1 + id % 4], now()
FROM carerecords_patient WHERE id % 3 = 0 ON CONFLICT DO NOTHING
"""
_JOBS = """
INSERT INTO carerecords_uploadjob (public_id, patient_id, practice_id, kind, state, cause, requested_at, due_at,
    lease_until, reasons, headline)
SELECT gen_random_uuid(), id, practice_id, 'UPLOAD', state, 'UPDATE', now(), now(),
    CASE WHEN state = 'SENDING' THEN now() END, '{}', ''
FROM (SELECT id, practice_id, CASE WHEN id % 5000 = 0 THEN 'SENDING' WHEN id % 10 = 0 THEN 'HELD' ELSE 'WAITING' END
      AS state FROM carerecords_patient WHERE id % 2 = 0) AS asked
ON CONFLICT DO NOTHING
"""
_LIVE = "UPDATE carerecords_practice SET goes_live_on = DATE '2020-01-06' WHERE id % 10 <> 0"


def run() -> Iterator[Ratio]:
    from django.utils import timezone

    from carerecords.models import Patient, Practice

    with harness.copy_of_database():
        _populate()
        at = timezone.now()
        yield _by_groups_and_one_by_one(at)
        patients, practices = Patient.objects.count(), Practice.objects.count()
        yield _whole(at, f"{patients:,} patients of {practices:,} practices")
        yield _looked_up(at)
        yield from _decided(at)


def _decided(at: Any) -> Iterator[Ratio]:
    """Whether each patient's upload may go, for all of them: by groups of facts, and by one query a patient."""
    from carerecords.models import Patient, Practice
    from spine.facts import load_nation, load_one
    from spine.gate import Decision, decide

    nation = load_nation(at)
    everybody = Patient.objects.all()
    some = Practice.objects.order_by("-list_size")[PRACTICES_ONE_BY_ONE].pk
    theirs = list(everybody.filter(practice=some))

    def by_groups() -> Counter[Decision]:
        return _answers(everybody, nation)

    def one_query_each() -> list[Decision]:
        return [decide(load_one(patient, at).facts) for patient in theirs]

    if Counter(one_query_each()) != _answers(everybody.filter(practice=some), nation):
        raise AssertionError("by groups and one by one differ in an answer or a reason")
    slow, fast = side_by_side(one_query_each, by_groups, rounds=ROUNDS)
    patients = everybody.count()
    yield Ratio(
        "the gate in bulk",
        "thousand decisions a second, facts read too",
        patients / fast / 1e3,
        goal=DECISIONS_A_SECOND / 1e3,
        note=f"{patients:,} patients in {fast:.1f} s; {len(theirs):,} of them asked one by one: the same answers and reasons",
    )
    yield Ratio(
        "the gate in bulk",
        "times one query a patient",
        (slow / len(theirs)) / (fast / patients),
        goal=TIMES_ONE_BY_ONE,
    )


def _answers(patients: Any, nation: Any) -> "Counter[Any]":
    """How many patients have each answer of the gate."""
    from carerecords.models import Practice
    from spine.fact_groups import Verdicts, groups, homes, side_of

    where = homes(Practice.objects.all(), nation.today)
    sides = {pk: side_of(home, nation, nation.revisions) for pk, home in where.items()}
    verdicts, counted = Verdicts(nation), Counter[Any]()
    for group in groups(patients, nation):
        counted[verdicts.of(group.own, sides[group.home_id])] += group.patients
    return counted


def _whole(at: Any, whose: str) -> Ratio:
    """All England, beside the least that could be done: a count by practice and decision."""
    from django.db.models import Count

    from boycott.positions import Position
    from carerecords.models import Patient
    from spine.policy.impact import impact_of_position

    impact = impact_of_position(Position.NON_COOPERATION, at)

    def by_the_gate() -> None:
        impact_of_position(Position.NON_COOPERATION, at)

    def bare_count() -> None:
        list(Patient.objects.values_list("practice", "consent_state").annotate(Count("pk")).order_by())

    took, bare = side_by_side(by_the_gate, bare_count, rounds=ROUNDS)
    effect = impact.effect
    return Ratio(
        "impact of a change for all England",
        "times a bare count by practice and decision",
        took / bare,
        goal=MOST_TIMES_A_COUNT,
        at_most=True,
        note=f"{took:.1f} s for {whose}; uploads stop for {effect.stop:,}, {effect.held:,} waiting would be held, "
        f"{effect.copies:,} copies go out of date, in {len(impact.by_practice):,} practices",
    )


def _by_groups_and_one_by_one(at: Any) -> Ratio:
    """Some practices by groups, and by the gate asked twice about each of their patients. The same figures."""
    from dataclasses import replace

    from boycott.positions import Position
    from boycott.queries import NATIONAL_LINE, standing_revisions
    from boycott.rules import as_if
    from carerecords.models import Patient, Practice
    from spine.fact_groups import homes, side_of
    from spine.facts import load_batch, load_nation
    from spine.gate import Kind, Outcome, decide
    from spine.policy.effects import Effect, Sides, effects_of, total, who_may_go

    now = load_nation(at)
    boycott = as_if(standing_revisions(), NATIONAL_LINE, Position.NON_COOPERATION, at)
    later = replace(now, revisions=tuple(boycott))
    some = Practice.objects.order_by("-list_size")[:PRACTICES_ONE_BY_ONE].values("pk")
    theirs = Patient.objects.filter(practice__in=list(some.values_list("pk", flat=True)))
    found: dict[str, tuple[int, int]] = {}

    def by_groups() -> None:
        where = homes(Practice.objects.filter(pk__in=some), now.today)
        sides = {
            pk: Sides(side_of(home, now, now.revisions), side_of(home, now, boycott))
            for pk, home in where.items()
        }
        effect: Effect = total(effects_of(theirs, now, sides).values())
        found["by groups"] = effect.patients, effect.stop

    def one_by_one() -> None:
        numbers = list(who_may_go(theirs, now).values_list("pk", flat=True))
        stop = 0
        for start in range(0, len(numbers), BATCH):
            asked = dict.fromkeys(numbers[start : start + BATCH], (Kind.UPLOAD, False))
            before, after = load_batch(asked, now), load_batch(asked, later)
            stop += sum(
                decide(before[pk].facts).outcome is Outcome.SEND
                and decide(after[pk].facts).outcome is not Outcome.SEND
                for pk in asked
            )
        found["one by one"] = len(numbers), stop

    slow, fast = side_by_side(one_by_one, by_groups, rounds=ROUNDS)
    if found["by groups"] != found["one by one"]:
        raise AssertionError(f"by groups and one by one differ: {found}")
    patients, stop = found["by groups"]
    return Ratio(
        "impact by groups of facts",
        "times the gate asked about each patient",
        slow / fast,
        goal=TIMES_ONE_BY_ONE,
        note=f"{patients:,} patients of {PRACTICES_ONE_BY_ONE} practices, {stop:,} uploads stop, the same both ways; "
        f"the loop reads facts in batches of {BATCH}",
    )


def _looked_up(at: Any) -> Ratio:
    """The plan of the grouped query: nothing is looked up a patient."""
    from django.db import connection

    from carerecords.models import Patient
    from spine.fact_groups import grouped
    from spine.facts import load_nation
    from spine.policy.effects import who_may_go

    nation = load_nation(at)
    text, params = grouped(who_may_go(Patient.objects.all(), nation), nation).query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {text}", params)
        [(plan,)] = cursor.fetchall()
    [root] = json.loads(plan) if isinstance(plan, str) else plan
    nodes = list(_nodes(root["Plan"]))
    return Ratio(
        "its grouped query",
        "runs of its busiest plan node",
        max(node["Actual Loops"] for node in nodes),
        goal=MOST_LOOPS,
        at_most=True,
        note=", ".join(dict.fromkeys(node["Node Type"] for node in nodes)),
    )


def _nodes(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield node
    for inner in node.get("Plans", []):
        yield from _nodes(inner)


def _populate() -> None:
    from django.utils import timezone

    from boycott.models import GpStanceRevision, StanceRevision
    from boycott.positions import GpStance, Stance
    from carerecords.models import Practice, User

    rng, at = random.Random(2007), timezone.now()
    some_user, today = User.objects.order_by("pk")[0], timezone.localdate(at)
    gps = User.objects.bulk_create(
        User(email=f"gp.{n}@bench.example", given_name="A", family_name=f"Gp{n}") for n in range(20_000)
    )
    practices = list(Practice.objects.values_list("pk", flat=True))
    StanceRevision.objects.bulk_create(
        StanceRevision(
            practice_id=pk, stance=rng.choice(list(Stance)), agreed_by="-", agreed_on=today, made_at=at
        )
        for pk in rng.sample(practices, len(practices) // 2)
    )
    GpStanceRevision.objects.bulk_create(
        GpStanceRevision(gp=gp, practice_id=practices[0], stance=rng.choice(list(GpStance)), made_at=at)
        for gp in [some_user, *gps[::5]]
    )
    for statement in (_LIVE, _PATIENTS, _COPIES, _JOBS):
        harness.sql(statement, **({"patients": PATIENTS} if statement is _PATIENTS else {}))
    harness.sql("ANALYZE")
