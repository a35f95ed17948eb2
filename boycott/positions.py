"""The vocabulary of the union's position and of the answers to it.

Authority: the BMA's resolutions from 2006 to 2026, which moved between asking members not to
co-operate, asking for explicit consent only, and co-operating (spine-interface notes 2.5).
"""

from enum import StrEnum

from carerecords.vocabulary import Term


class Position(Term):
    """What the union asks of practices."""

    COOPERATE = "COOPERATE", "Co-operate"
    EXPLICIT_CONSENT_ONLY = "EXPLICIT_CONSENT_ONLY", "Upload with explicit consent only"
    NON_COOPERATION = "NON_COOPERATION", "Do not co-operate: no upload"


class Strength(Term):
    """Advice binds nobody by itself."""

    ADVICE = "ADVICE", "Advice to members; practices decide"
    INSTRUCTION = "INSTRUCTION", "Instruction to members"


class DataScope(Term):
    """Which part of a summary a position is about."""

    ALL = "ALL", "The whole summary"
    ADDITIONAL_ONLY = "ADDITIONAL_ONLY", "Additional information only"


class Stance(Term):
    """A practice's answer to the union's position."""

    FOLLOW = "FOLLOW", "Follow it"
    DO_NOT_FOLLOW = (
        "DO_NOT_FOLLOW",
        "Do not follow: uploads continue for patients with consent",
    )
    HOLD = "HOLD", "Hold uploads whatever the policy"


class GpStance(Term):
    """A GP's answer for their own patients."""

    USE_PRACTICE = "USE_PRACTICE", "Use the practice's answer"
    HOLD = "HOLD", "Hold uploads for my patients"


class Capacity(Term):
    """As what somebody answers for the practice."""

    MANAGER = "MANAGER", "Practice manager"
    PARTNER = "PARTNER", "GP partner"


class MotionStatus(Term):
    """What became of a motion."""

    PROPOSED = "PROPOSED", "Proposed"
    ADOPTED = "ADOPTED", "Adopted"
    SUPERSEDED = "SUPERSEDED", "Superseded"
    LAPSED = "LAPSED", "Lapsed"
    LOST = "LOST", "Lost"


class Direction(Term):
    """Which way a motion points."""

    NON_COOPERATION = "NON_COOPERATION", "Do not co-operate"
    COOPERATE = "COOPERATE", "Co-operate"
    NEITHER = "NEITHER", "Neither"


# No answer is treated as following, and shown so (product page 4).
UNANSWERED = Stance.FOLLOW


class Phrase(StrEnum):
    """What an admin types to confirm a change for the whole country."""

    START = "START BOYCOTT"
    END = "END BOYCOTT"
