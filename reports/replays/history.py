"""The seven scenarios, with their sources.

Sources are the press of the time and the programme's own pages: Digital Health News ("DH"), Pulse, Computer Weekly,
BMJ 2010;340:c3111, the Freedom of Information answer of 29 June 2015, and the BMA's pages of 2026. What no source
gives is named in `assumed`. Groups are labels of no real practice.
"""

import datetime
from collections.abc import Sequence

from boycott.positions import DataScope, Position, Stance
from consent.codes import ConsentModel, ConsentState
from reports.replays.scenario import Group, Scenario, Turns, adopted

_LONG_AGO = datetime.date(2006, 1, 1)
_NOBODY_ASKED = (_LONG_AGO, (ConsentModel.IMPLIED_CORE, 16))


def _day(text: str) -> datetime.date:
    return datetime.date.fromisoformat(text)


def _silent(patients: int, *, refused: int) -> dict[ConsentState, int]:
    """So many patients, of whom some refused and the others said nothing."""
    return {ConsentState.NONE: patients - refused, ConsentState.EXPRESS_DISSENT: refused}


def _since(patients: dict[ConsentState, int]) -> Turns[dict[ConsentState, int]]:
    return ((_LONG_AGO, patients),)


JUNE_2007 = Scenario(
    slug="june-2007",
    title="June 2007: the meeting says do not co-operate",
    told="The BMA's meeting adopts a motion for all England, as advice. Of 100 GPs asked, 75 say that they will follow.",
    source="Pulse, July 2007; Bolton's refusals: DH, June 2007 (0.23% of 66,000).",
    assumed="100 practices of 6,000 patients, each doing what one of the GPs said; all had joined and written to their "
    "patients in February; the position counts from 27 June.",
    first=_day("2007-04-01"),
    months=9,
    models=(_NOBODY_ASKED,),
    positions=(adopted(1, Position.NON_COOPERATION, _day("2007-06-27")),),
    groups=(
        Group(
            "75 practices that follow",
            "FOLLOW",
            _since(_silent(450_000, refused=1_035)),
            joined=_LONG_AGO,
            letters=_day("2007-02-01"),
        ),
        Group(
            "25 practices that do not follow",
            "NOT",
            _since(_silent(150_000, refused=345)),
            stance=((_day("2007-06-27"), Stance.DO_NOT_FOLLOW),),
            joined=_LONG_AGO,
            letters=_day("2007-02-01"),
        ),
    ),
)

DORSET_2007 = Scenario(
    slug="dorset-2007",
    title="Summer 2007: six practices of Dorset go on",
    told="Six practices with 31 GPs and 36,000 patients upload in spite of the advice. Patients have 16 weeks to opt out; "
    "silence counts as consent.",
    source="Pulse, summer 2007.",
    assumed="Letters of 16 July; refusals as in Bolton (0.23%).",
    first=_day("2007-06-01"),
    months=8,
    models=(_NOBODY_ASKED,),
    positions=(adopted(1, Position.NON_COOPERATION, _day("2007-06-27")),),
    groups=(
        Group(
            "6 practices in Dorset",
            "DORSET",
            _since(_silent(36_000, refused=83)),
            stance=((_day("2007-07-16"), Stance.DO_NOT_FOLLOW),),
            joined=_day("2007-07-16"),
            letters=_day("2007-07-16"),
        ),
    ),
)

TRUSTS_2007 = Scenario(
    slug="trusts-2007",
    title="September 2007: the early adopters are exempt",
    told="The BMA asks that nothing be rolled out beyond the six early-adopter trusts until they are evaluated: "
    "the advice no longer covers these.",
    source="DH, September and October 2007: Bolton 8 practices, 48,500 summaries by 24 October; Bury 113,000 letters in "
    "June, 16 weeks.",
    assumed="Of the six, the two whose figures are known, which wait for the BMA although they would upload; beside them a "
    "place outside of 36,000 patients with letters of 16 July; refusals as in Bolton (0.23%); the exemption "
    "counts from 10 September; Bolton's letters are of March.",
    first=_day("2007-06-01"),
    months=8,
    models=(_NOBODY_ASKED,),
    positions=(
        adopted(1, Position.NON_COOPERATION, _day("2007-06-27")),
        adopted(2, Position.NON_COOPERATION, _day("2007-09-10"), exempt=["BOLTON", "BURY"]),
    ),
    groups=(
        Group(
            "Bolton, early adopter",
            "BOLTON",
            _since(_silent(48_500, refused=112)),
            joined=_day("2007-03-15"),
            letters=_day("2007-03-15"),
        ),
        Group(
            "Bury, early adopter",
            "BURY",
            _since(_silent(113_000, refused=260)),
            joined=_day("2007-06-15"),
            letters=_day("2007-06-15"),
        ),
        Group(
            "A place outside the six, follows",
            "OUTSIDE",
            _since(_silent(36_000, refused=83)),
            joined=_day("2007-07-16"),
            letters=_day("2007-07-16"),
        ),
    ),
)

CODES_2010 = Scenario(
    slug="codes-2010",
    title="2010: a policy written into every record",
    told="The meeting endorses explicit consent. One practice puts code 93C3 on all its patients, and later takes back "
    "the refusals that no patient made and says its own answer. In another, 20% of patients opted out.",
    source="DH, July 2010; BMJ 2010;340:c3111; refusals elsewhere: 1.16% (Pulse, 2011).",
    assumed="Practices of 7,000 patients, of whom 10% had consented in express words; the codes are of May and their repair "
    "of September; the position counts from 1 July.",
    first=_day("2010-03-01"),
    months=9,
    models=((_LONG_AGO, (ConsentModel.IMPLIED_CORE, 12)),),
    positions=(adopted(1, Position.EXPLICIT_CONSENT_ONLY, _day("2010-07-01")),),
    groups=(
        Group(
            "The practice that coded everybody",
            "CODED",
            (
                (
                    _LONG_AGO,
                    {
                        ConsentState.NONE: 6_219,
                        ConsentState.EXPRESS_CORE: 700,
                        ConsentState.EXPRESS_DISSENT: 81,
                    },
                ),
                (_day("2010-05-10"), {ConsentState.EXPRESS_DISSENT: 7_000}),
                (
                    _day("2010-09-20"),
                    {
                        ConsentState.NONE: 6_219,
                        ConsentState.EXPRESS_CORE: 700,
                        ConsentState.EXPRESS_DISSENT: 81,
                    },
                ),
            ),
            stance=((_day("2010-09-20"), Stance.HOLD),),
            joined=_LONG_AGO,
            letters=_day("2009-11-01"),
        ),
        Group(
            "The practice where 20% opted out",
            "TWENTY",
            _since(
                {
                    ConsentState.NONE: 4_900,
                    ConsentState.EXPRESS_CORE: 700,
                    ConsentState.EXPRESS_DISSENT: 1_400,
                }
            ),
            joined=_LONG_AGO,
            letters=_day("2009-11-01"),
        ),
    ),
)

# Practices that had joined by January 2011, of each 1,000 patients; the programme had begun in the North East.
_REGIONS = (("North East", 176), ("England as a whole", 85), ("South Central", 10))


def _regions() -> Sequence[Group]:
    found = []
    for name, uploaded in _REGIONS:
        code = name.split()[0].upper()
        joined = Group(
            f"{name}: joined by January 2011",
            f"{code}-JOINED",
            _since({ConsentState.NONE: uploaded * 100}),
            stance=((_LONG_AGO, Stance.DO_NOT_FOLLOW),),
            joined=_day("2011-01-01"),
            letters=_day("2010-06-01"),
        )
        not_yet = Group(
            f"{name}: not joined",
            f"{code}-LATER",
            _since({ConsentState.NONE: 100_000 - uploaded * 100}),
            letters=_day("2010-06-01"),
        )
        found += [joined, not_yet]
    return found


JANUARY_2011 = Scenario(
    slug="january-2011",
    title="January 2011: 8.5% of England",
    told="A summary of 8.5% of England is at the store: 17.6% in the North East, 1.0% in South Central. The others have not "
    "joined, and the BMA has asked practices to hold fire.",
    source="DH, January 2011; Pulse, December 2010.",
    assumed="Each region as 100,000 patients, those uploaded as patients who said nothing after a letter; they join in "
    "January and do not follow the BMA's advice, which counts from 15 December.",
    first=_day("2010-11-01"),
    months=4,
    models=((_LONG_AGO, (ConsentModel.IMPLIED_CORE, 12)),),
    positions=(adopted(1, Position.NON_COOPERATION, _day("2010-12-15")),),
    groups=_regions(),
)

APRIL_2020 = Scenario(
    slug="april-2020",
    title="April 2020: additional information for all who did not refuse",
    told="For the pandemic, silence counts as consent for core and additional information.",
    source="NHS Digital, April 2020; refusals: 536,597, about 1.1% (Freedom of Information, 29 June 2015).",
    assumed="100,000 patients, 2% of whom had consented to additional information in express words; all had a letter.",
    first=_day("2020-02-01"),
    months=5,
    models=(
        (_LONG_AGO, (ConsentModel.IMPLIED_CORE, 12)),
        (_day("2020-04-15"), (ConsentModel.IMPLIED_CORE_AND_ADDITIONAL, 12)),
    ),
    positions=(),
    groups=(
        Group(
            "100,000 patients",
            "ALL",
            _since(
                {
                    ConsentState.NONE: 96_900,
                    ConsentState.EXPRESS_ADDITIONAL: 2_000,
                    ConsentState.EXPRESS_DISSENT: 1_100,
                }
            ),
            joined=_LONG_AGO,
            letters=_day("2010-06-01"),
        ),
    ),
)

MAY_2026 = Scenario(
    slug="may-2026",
    title="May 2026: collective action, practice by practice",
    told="GPs act together over agreements to share data. The position is about additional information alone, and each "
    "practice decides; the core of the summary goes on.",
    source="BMA, May 2026; the share that acts: 46% of 283 partners in August 2024.",
    assumed="100 practices of 9,700 patients: 20 follow from May, 26 more from July; silence counts since April 2020; "
    "refusals 1.1%; the position counts from 1 May.",
    first=_day("2026-03-01"),
    months=7,
    models=((_LONG_AGO, (ConsentModel.IMPLIED_CORE_AND_ADDITIONAL, 12)),),
    positions=(adopted(1, Position.NON_COOPERATION, _day("2026-05-01"), about=DataScope.ADDITIONAL_ONLY),),
    groups=(
        Group(
            "20 practices that follow from May",
            "MAY",
            _since(_silent(194_000, refused=2_134)),
            joined=_LONG_AGO,
            letters=_day("2010-06-01"),
        ),
        Group(
            "26 practices that follow from July",
            "JULY",
            _since(_silent(252_200, refused=2_774)),
            stance=((_LONG_AGO, Stance.DO_NOT_FOLLOW), (_day("2026-07-01"), Stance.FOLLOW)),
            joined=_LONG_AGO,
            letters=_day("2010-06-01"),
        ),
        Group(
            "54 practices that do not follow",
            "NOT",
            _since(_silent(523_800, refused=5_762)),
            stance=((_LONG_AGO, Stance.DO_NOT_FOLLOW),),
            joined=_LONG_AGO,
            letters=_day("2010-06-01"),
        ),
    ),
)

SCENARIOS = {
    one.slug: one
    for one in (JUNE_2007, DORSET_2007, TRUSTS_2007, CODES_2010, JANUARY_2011, APRIL_2020, MAY_2026)
}
