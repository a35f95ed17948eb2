"""What the answers of GPs mean for coverage over the rollout, month by month. Pure.

Of the patients who could be uploaded, those of practices that follow the policy are not. How many will
follow is known from a survey alone: its share, with Wilson's interval, times the part of those who say
so that also does it. Practices are taken to join evenly over the rollout.
"""

from dataclasses import dataclass

from boycott.surveys.wilson import wilson

# In 2007 three in four of 100 GPs said they would follow; in August 2024, 46% of 283 partners acted.
SAID_2007 = (75, 100)
DID_2024 = (46, 100)
FACTOR = round(DID_2024[0] / DID_2024[1] / (SAID_2007[0] / SAID_2007[1]), 2)
MONTHS = 18
LONGEST = 60


@dataclass(frozen=True)
class Month:
    """The end of one month: shares of all patients from 0 to 1. `nobody`: if no practice follows."""

    number: int
    nobody: float
    likely: float
    low: float
    high: float


def project(
    *, follow: int, answered: int, factor: float = FACTOR, months: int = MONTHS, reachable: float = 1.0
) -> list[Month]:
    """Coverage from the start (month 0) to the end of the rollout, if `follow` of `answered` speak for all.

    `factor` is the part of intentions that become actions, and `reachable` the share of patients who
    may be uploaded at all, both from 0 to 1. The band from `low` to `high` is the survey's 95% interval.
    Raises `ValueError` for what lies outside.
    """
    if not 0 <= factor <= 1 or not 0 <= reachable <= 1 or not 1 <= months <= LONGEST:
        raise ValueError("factor and reachable are shares, and a rollout takes 1 to 60 months")
    band, share = wilson(follow, answered), follow / answered
    return [
        Month(
            number,
            nobody=reachable * number / months,
            likely=reachable * number / months * (1 - share * factor),
            low=reachable * number / months * (1 - band.high * factor),
            high=reachable * number / months * (1 - band.low * factor),
        )
        for number in range(months + 1)
    ]
