"""Positions of the union, and the answers of practices and GPs: all append-only."""

from boycott.models.position import PositionRevision
from boycott.models.stance import GpStanceRevision, StanceRevision

__all__ = ["GpStanceRevision", "PositionRevision", "StanceRevision"]
