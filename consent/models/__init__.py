"""Everything consent stores."""

from consent.models.bulk import BulkRow, BulkRun, ChunkRow
from consent.models.drafts import FormDraft
from consent.models.events import ConsentEvent, ConsentModelProposal, ConsentModelRevision, PreferenceCode
from consent.models.imports import Import, ImportRow
from consent.models.letters import Deferral, NoticeLetter
from consent.models.sheets import Sheet, SheetRow

__all__ = [
    "BulkRow",
    "BulkRun",
    "ChunkRow",
    "ConsentEvent",
    "ConsentModelProposal",
    "ConsentModelRevision",
    "Deferral",
    "FormDraft",
    "Import",
    "ImportRow",
    "NoticeLetter",
    "PreferenceCode",
    "Sheet",
    "SheetRow",
]
