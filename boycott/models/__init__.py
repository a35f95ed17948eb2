"""Motions, positions and their changes, guidance, and the answers of practices and GPs: all append-only."""

from boycott.models.change import ChangeContent, ChangeStep, PolicyChange, PositionWithdrawal
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

__all__ = [
    "ChangeContent",
    "ChangeStep",
    "GpStanceRevision",
    "GuidanceAcknowledgement",
    "GuidancePage",
    "GuidancePublication",
    "GuidanceRevision",
    "MotionRevision",
    "Notice",
    "NoticeRead",
    "PolicyChange",
    "PositionRevision",
    "PositionWithdrawal",
    "StanceRevision",
]
