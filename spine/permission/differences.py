"""Where the Spine's permission and the patient's decision here disagree, and what mends it. Pure.

The Spine keeps one permission for each patient. `No` is the patient's refusal: the store then takes no
message at all, not even the blank one that takes a record back. So a removal comes first and `No` after
it; the other way round the removal would be refused (spine-interface notes 1.4). Our side follows
the recorded decision alone: nobody sets a permission that the patient's decision does not ask for, and a
`No` that is not known here is never overwritten before the patient was asked (notes 2.2).
"""

from dataclasses import dataclass

from carerecords.vocabulary import Term
from consent.codes import ConsentState


class SpinePermission(Term):
    """The values of the Spine's permission (code system SCR-ACSPermission)."""

    NO = "No", "No: the patient opted out"
    ASK = "Ask", "Ask: whoever treats the patient asks before looking"
    YES = "Yes", "Yes: an older form that counts as Ask"


class Difference(Term):
    """How the two sides disagree."""

    STORE_REFUSES = "STORE_REFUSES", "The Spine says No, and the patient consents here"
    STORE_ALLOWS = "STORE_ALLOWS", "The patient refused here, and the Spine does not say No"
    REMOVAL_STOPPED = (
        "REMOVAL_STOPPED",
        "The patient's record is to be removed, and the Spine says No to that",
    )


# What comes of each, for the page on which it is mended.
CONSEQUENCES = {
    Difference.STORE_REFUSES: "Uploads wait until both agree.",
    Difference.STORE_ALLOWS: "The record there is blank, and a new one could still be sent from elsewhere.",
    Difference.REMOVAL_STOPPED: "Nobody can look at the record now, but it stays there until it is removed.",
}


class Ending(Term):
    """How a difference came to its end."""

    SET = "SET", "The permission was set at the Spine"
    READ = "READ", "The Spine was asked again"
    CHANGED = "CHANGED", "The decision here or the record at the Spine changed"


@dataclass(frozen=True)
class Sides:
    """Both sides for one patient. `permission` is empty where the Spine was not asked or said nothing."""

    state: ConsentState
    permission: str
    # Whether anything is known of the store: it was asked, or took a message.
    is_known: bool
    # A summary with content is there, or may be, as far as we know.
    holds_record: bool
    # A removal is asked for or on its way, or something else is.
    under_way: bool
    # An upload waits only because the Spine says No.
    upload_held: bool

    @property
    def store_refuses(self) -> bool:
        return self.permission == SpinePermission.NO


ENDS_CONSENT = frozenset({ConsentState.EXPRESS_DISSENT, ConsentState.WITHDRAWN})
CONSENTS = frozenset({ConsentState.EXPRESS_CORE, ConsentState.EXPRESS_ADDITIONAL})


def difference(sides: Sides) -> Difference | None:
    """How the sides disagree, or None where they agree or not enough is known."""
    if sides.store_refuses:
        if sides.state in ENDS_CONSENT:
            return Difference.REMOVAL_STOPPED if sides.holds_record else None
        return Difference.STORE_REFUSES if sides.state in CONSENTS or sides.upload_held else None
    if sides.state is ConsentState.EXPRESS_DISSENT and sides.is_known and not _removal_to_come(sides):
        return Difference.STORE_ALLOWS
    return None


@dataclass(frozen=True)
class Offer:
    """What a user may set now, and why; `code` is None where nothing may be set."""

    code: SpinePermission | None
    why: str


def offer(sides: Sides) -> Offer:
    """What the recorded decision asks of the Spine's permission."""
    if sides.state is ConsentState.EXPRESS_DISSENT:
        return _after_refusal(sides)
    if sides.state is ConsentState.WITHDRAWN:
        if sides.store_refuses and sides.holds_record:
            return _ALLOW_REMOVAL
        return Offer(
            None, "Consent was withdrawn without a refusal, so the Spine's permission stays as it is."
        )
    if sides.state not in CONSENTS:
        return Offer(
            None,
            "No express decision of the patient stands here. Ask the patient, and record what they decide: "
            "the permission follows it.",
        )
    if sides.permission in {SpinePermission.ASK, SpinePermission.YES}:
        return Offer(None, "The Spine agrees with the decision here.")
    return Offer(SpinePermission.ASK, "The patient consents. With Ask, uploads are taken again.")


_ALLOW_REMOVAL = Offer(
    SpinePermission.ASK,
    "A record is, or may be, at the Spine, and with No it refuses to have it removed. Set Ask, and the removal "
    "is sent at once.",
)


def _after_refusal(sides: Sides) -> Offer:
    if sides.store_refuses:
        if sides.holds_record:
            return _ALLOW_REMOVAL
        return Offer(None, "The Spine agrees with the decision here.")
    if _removal_to_come(sides):
        return Offer(
            None,
            "The removal has to reach the Spine first: with No in force it would be refused. "
            "No can be set once it has arrived.",
        )
    return Offer(SpinePermission.NO, "The patient refused. With No, the Spine takes nothing about them.")


def _removal_to_come(sides: Sides) -> bool:
    return sides.holds_record or sides.under_way
