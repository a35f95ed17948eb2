"""Motions, positions and their changes, guidance, surveys and answers: all but sealed votes only grow."""

from boycott.models.ballot import BallotCount, BallotSeal, CountedPaper, HasVoted, SealedPaper
from boycott.models.change import ChangeContent, ChangeStep, PolicyChange, PositionWithdrawal
from boycott.models.dispensation import Dispensation, DispensationStep
from boycott.models.guidance import (
    GuidanceAcknowledgement,
    GuidancePage,
    GuidancePublication,
    GuidanceRevision,
)
from boycott.models.motion import MotionRevision
from boycott.models.notice import Notice, NoticeRead
from boycott.models.position import PositionRevision
from boycott.models.stance import GpStanceRevision, StanceRevision
from boycott.models.survey import (
    RollEntry,
    Survey,
    SurveyAnswer,
    SurveyClosing,
    SurveyOpening,
    SurveyOption,
    SurveyWording,
)

__all__ = [
    "BallotCount",
    "BallotSeal",
    "ChangeContent",
    "ChangeStep",
    "CountedPaper",
    "Dispensation",
    "DispensationStep",
    "GpStanceRevision",
    "GuidanceAcknowledgement",
    "GuidancePage",
    "GuidancePublication",
    "GuidanceRevision",
    "HasVoted",
    "MotionRevision",
    "Notice",
    "NoticeRead",
    "PolicyChange",
    "PositionRevision",
    "PositionWithdrawal",
    "RollEntry",
    "SealedPaper",
    "StanceRevision",
    "Survey",
    "SurveyAnswer",
    "SurveyClosing",
    "SurveyOpening",
    "SurveyOption",
    "SurveyWording",
]
