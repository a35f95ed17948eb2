"""Who may have an import applied. Pure."""

from collections.abc import Collection
from dataclasses import dataclass

from carerecords.permissions import Permission

# More consents than this need the eyes of two (screens design, section 4).
ALONE = 500
ROLE_NEEDED = (
    f"Your role cannot {Permission.APPLY_IMPORT.sentence}. A GP or practice manager of your practice can."
)
TWO_NEEDED = (
    f"This import gives consent for more than {ALONE} patients, or several of yours within 24 hours do "
    "together. Somebody other than you must approve it."
)
GP_NEEDED = (
    "This import gives consent to additional information, which is for a GP to record. "
    "A GP of your practice can approve it."
)


@dataclass(frozen=True)
class Proposal:
    """What decides on an approval: of the import, of the person, and of what they approved lately."""

    is_own: bool
    consents: int
    additional: int
    # Consents of the person's own imports that they approved themselves in the last 24 hours.
    approved_alone: int


def fault(proposal: Proposal, may: Collection[Permission]) -> str | None:
    """Why this person may not approve it, in a sentence; None if they may."""
    if Permission.APPLY_IMPORT not in may:
        return ROLE_NEEDED
    if proposal.additional and Permission.RECORD_CONSENT_ADDITIONAL not in may:
        return GP_NEEDED
    if proposal.is_own and proposal.consents and proposal.consents + proposal.approved_alone > ALONE:
        return TWO_NEEDED
    return None
