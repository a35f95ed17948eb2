"""What the results say, in sentences. Pure: the same words on the page and in the API."""

from collections.abc import Sequence

from boycott.surveys.tally import FEWEST, Share, Tally
from boycott.surveys.vocabulary import Kind, Meaning
from boycott.surveys.wilson import whole_per_cent
from carerecords.formats import count, plural, share

TOO_FEW = f"Fewer than {FEWEST} answered, so the answers are not shown."
VOLUNTEERED = {
    Kind.SURVEY: "Answers were volunteered, so this may not represent all GPs.",
    Kind.BALLOT: "Votes were volunteered, so this may not represent all GPs.",
}
_PLANS = {Meaning.FOLLOW: "plan to follow", Meaning.DO_NOT_FOLLOW: "do not plan to follow"}

Option = tuple[str, Meaning]


def response(kind: Kind, found: Tally) -> str:
    """`100 of 120 GPs invited answered (83%).`"""
    did = "voted" if kind is Kind.BALLOT else "answered"
    invited = plural(found.invited, "GP")
    return f"{count(found.answers)} of {invited} invited {did} ({share(found.answers, found.invited)})."


def sentences(kind: Kind, options: Sequence[Option], shares: Sequence[Share]) -> list[str]:
    """One for each option: how many chose it, and where the figure would likely be for all GPs."""
    return [_sentence(kind, option, options, chosen) for option, chosen in zip(options, shares, strict=True)]


def intention(follow: int, answered: int) -> str:
    """All options that mean following, together."""
    return _told(Share.of_answers(follow, answered), _PLANS[Meaning.FOLLOW])


def _sentence(kind: Kind, option: Option, options: Sequence[Option], chosen: Share) -> str:
    return _told(chosen, _verb(kind, option, options))


def _told(chosen: Share, did: str) -> str:
    low, high = whole_per_cent(chosen.interval.low), whole_per_cent(chosen.interval.high)
    return (
        f"{count(chosen.count)} of {plural(chosen.of, 'GP')} ({share(chosen.count, chosen.of)}) {did}. "
        f"If all GPs were asked the figure would likely be between {low} and {high}."
    )


def _verb(kind: Kind, option: Option, options: Sequence[Option]) -> str:
    label, meaning = option
    if kind is Kind.SURVEY and meaning in _PLANS and sum(1 for _, other in options if other is meaning) == 1:
        return _PLANS[meaning]
    return f"{'voted' if kind is Kind.BALLOT else 'answered'} “{label}”"
