"""Everything consent stores."""

from consent.models.bulk import BulkRow, BulkRun
from consent.models.events import ConsentEvent, ConsentModelRevision
from consent.models.imports import Import, ImportRow
from consent.models.letters import Deferral, NoticeLetter

__all__ = [
    "BulkRow",
    "BulkRun",
    "ConsentEvent",
    "ConsentModelRevision",
    "Deferral",
    "Import",
    "ImportRow",
    "NoticeLetter",
]
