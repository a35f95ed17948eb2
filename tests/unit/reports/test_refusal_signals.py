"""Each signal for policy as a table: when it speaks, when it keeps silent, and when together they are enough."""

import dataclasses
import datetime
import uuid

import pytest

from reports.refusal_signals import Burst, looks_like_policy, signals_of, worth_asking

NINE = datetime.datetime(2007, 7, 2, 9, tzinfo=datetime.UTC)
# Thirty refusals over five hours by three people with papers of their own: patients.
PATIENTS = Burst(
    public_id=uuid.UUID(int=1),
    first_event=1,
    last_event=30,
    began_at=NINE,
    ended_at=NINE + datetime.timedelta(hours=5),
    refusals=30,
    standing=30,
    recorders=3,
    evidence=30,
    in_order=0.5,
    by_run=False,
    usual_a_month=12,
    patients=10_000,
    policy_from=None,
)


def codes(**changes):
    return [signal.code for signal in signals_of(dataclasses.replace(PATIENTS, **changes))]


def test_patients_own_refusals_give_no_signal():
    assert codes() == []


@pytest.mark.parametrize(
    ("changes", "signals"),
    [
        ({"usual_a_month": 6}, ["many"]),
        ({"usual_a_month": 6.1}, []),
        ({"usual_a_month": 0, "refusals": 20}, ["many"]),
        ({"ended_at": NINE + datetime.timedelta(seconds=29 * 19)}, ["fast"]),
        ({"ended_at": NINE + datetime.timedelta(seconds=29 * 20)}, []),
        ({"ended_at": NINE}, ["fast"]),
        ({"recorders": 1}, ["one_hand"]),
        ({"recorders": 2}, []),
        ({"evidence": 1}, ["same_evidence"]),
        ({"in_order": 0.9}, ["in_order"]),
        ({"in_order": 0.89}, []),
        ({"patients": 300}, ["large"]),
        ({"patients": 301}, []),
        ({"patients": 0}, []),
        ({"policy_from": datetime.date(2007, 6, 29)}, ["near_policy"]),
    ],
)
def test_when_a_signal_speaks(changes, signals):
    assert codes(**changes) == signals


def test_three_signals_are_enough_and_two_are_not():
    two = {"recorders": 1, "evidence": 1}
    assert not looks_like_policy(dataclasses.replace(PATIENTS, **two))
    assert looks_like_policy(dataclasses.replace(PATIENTS, **two, in_order=1.0))


def test_what_nobody_stands_by_any_more_is_not_asked_about():
    policy = dataclasses.replace(PATIENTS, recorders=1, evidence=1, in_order=1.0)
    gone = dataclasses.replace(policy, standing=0)
    larger = dataclasses.replace(policy, refusals=200)
    assert worth_asking([PATIENTS, gone, policy, larger]) == [larger, policy]


def test_figures_are_in_the_words():
    told = " ".join(
        signal.sentence
        for signal in signals_of(
            dataclasses.replace(
                PATIENTS,
                refusals=2_000,
                usual_a_month=0.4,
                ended_at=NINE + datetime.timedelta(seconds=11 * 1_999),
                in_order=0.97,
                policy_from=datetime.date(2007, 6, 29),
            )
        )
    )
    for figure in (
        "2,000 refusals",
        "fewer than 1 a month",
        "every 11 seconds",
        "97%",
        "20%",
        "29 June 2007",
    ):
        assert figure in told
