"""Why an upload goes or does not: one list for pages, reports, exports and the API. Pure.

The words are the reason list of the screens design; a code, its sentence for staff, who can act
on it, and whether it ends the upload (cancel) or only stops it for now (hold).
"""

from enum import Enum, StrEnum


class Effect(StrEnum):
    """What a reason does to an upload."""

    HOLD = "HOLD"  # asked again when a fact changes
    CANCEL = "CANCEL"  # over


class Actor(StrEnum):
    """Who can do something about a reason."""

    GP = "The patient's GP or practice staff"
    STAFF = "Practice staff"
    MANAGER = "The practice manager"
    PRIVACY_OFFICER = "The privacy officer"
    GP_OR_PRIVACY_OFFICER = "A GP or the privacy officer"
    POLICY_ADMIN = "The BMA"
    NATIONAL = "The programme"
    NOBODY = "Nobody needs to act"


class Reason(Enum):
    """One coded cause. `code` is stored and stable."""

    CONSENT_NONE = (
        "consent.none",
        Effect.HOLD,
        Actor.GP,
        "No decision recorded. Nothing is uploaded until the patient decides.",
    )
    CONSENT_REFUSED = ("consent.refused", Effect.CANCEL, Actor.NOBODY, "The patient refused.")
    CONSENT_WITHDRAWN = (
        "consent.withdrawn",
        Effect.CANCEL,
        Actor.NOBODY,
        "The patient withdrew their consent.",
    )
    CONSENT_LATER = ("consent.later", Effect.HOLD, Actor.NOBODY, "Consent starts on a later date.")
    CONSENT_CONFLICT = (
        "consent.conflict",
        Effect.HOLD,
        Actor.GP,
        "Two decisions disagree. Uploads are held until one is confirmed.",
    )
    CONSENT_IMPLIED = (
        "consent.implied",
        Effect.HOLD,
        Actor.GP,
        "Only implied consent is recorded, and express consent is asked for.",
    )
    CONSENT_LETTER = (
        "consent.letter",
        Effect.HOLD,
        Actor.STAFF,
        "The patient has not been written to, or still has time to object.",
    )
    CONSENT_DIFFERS = (
        "consent.differs",
        Effect.HOLD,
        Actor.GP_OR_PRIVACY_OFFICER,
        "The Spine holds a different decision. Uploads are held.",
    )
    CONSENT_WAITING = (
        "consent.waiting",
        Effect.HOLD,
        Actor.NOBODY,
        "Waiting so that this decision can be undone.",
    )
    POLICY_BMA = (
        "policy.bma",
        Effect.HOLD,
        Actor.POLICY_ADMIN,
        "BMA boycott in force and this practice follows it.",
    )
    POLICY_CONFLICT = (
        "policy.conflict",
        Effect.HOLD,
        Actor.POLICY_ADMIN,
        "BMA policy is conflicting: two positions in force disagree.",
    )
    POLICY_EXPLICIT = (
        "policy.explicit",
        Effect.HOLD,
        Actor.GP,
        "BMA policy asks for express consent and this practice follows it.",
    )
    POLICY_PRACTICE = (
        "policy.practice",
        Effect.HOLD,
        Actor.MANAGER,
        "The practice has chosen to hold uploads.",
    )
    POLICY_GP = ("policy.gp", Effect.HOLD, Actor.GP, "The patient's GP holds uploads for their patients.")
    ROLLOUT_CLOSED = (
        "rollout.closed",
        Effect.HOLD,
        Actor.NATIONAL,
        "This practice has not joined yet.",
    )
    IDENTITY_UNVERIFIED = (
        "identity.unverified",
        Effect.HOLD,
        Actor.STAFF,
        "The patient's details have not been matched with the Spine.",
    )
    PATIENT_SENSITIVE = ("patient.sensitive", Effect.HOLD, Actor.PRIVACY_OFFICER, "Sensitive record.")
    PATIENT_LEFT = ("patient.left", Effect.CANCEL, Actor.NOBODY, "The patient left the practice.")
    PATIENT_DIED = ("patient.died", Effect.CANCEL, Actor.NOBODY, "The patient died.")
    NOTICE_NEEDLESS = (
        "notice.needless",
        Effect.CANCEL,
        Actor.NOBODY,
        "What the notice would say is not so, or no longer, so there is nothing to note.",
    )
    SYSTEM_STOP = ("system.stop", Effect.HOLD, Actor.NATIONAL, "All uploads are stopped.")
    FACTS_STALE = (
        "facts.stale",
        Effect.HOLD,
        Actor.NOBODY,
        "The decision is being worked out again for today.",
    )
    FACTS_UNKNOWN = (
        "facts.unknown",
        Effect.HOLD,
        Actor.NATIONAL,
        "What is needed to decide could not be read, so the upload is held.",
    )
    # Not of the gate: what became of a job that the gate let through, or that ended before it.
    TECH_TOO_LARGE = ("tech.too_large", Effect.CANCEL, Actor.MANAGER, "Message too large.")
    TECH_RETRY = (
        "tech.retry",
        Effect.HOLD,
        Actor.NOBODY,
        "The Spine could not take it. It is tried again by itself.",
    )
    TECH_ACCESS = (
        "tech.access",
        Effect.HOLD,
        Actor.NATIONAL,
        "The Spine did not let this service in. It is tried again by itself.",
    )
    TECH_TURN = (
        "tech.turn",
        Effect.HOLD,
        Actor.NOBODY,
        "Waiting for its turn. The Spine takes so many requests a second, and practices take turns.",
    )
    TECH_FAILED = ("tech.failed", Effect.CANCEL, Actor.MANAGER, "Sending failed 8 times.")
    TECH_REFUSED = ("tech.refused", Effect.CANCEL, Actor.MANAGER, "The Spine refused it.")
    TECH_UNWRITTEN = (
        "tech.unwritten",
        Effect.CANCEL,
        Actor.MANAGER,
        "The message could not be written.",
    )
    TECH_UNSUPPORTED = (
        "tech.unsupported",
        Effect.CANCEL,
        Actor.NATIONAL,
        "The Spine could not read what this service sent.",
    )
    TECH_WITHDRAWAL = (
        "tech.withdrawal",
        Effect.CANCEL,
        Actor.MANAGER,
        "Removal from the Spine failed.",
    )
    TECH_DOUBT = (
        "tech.doubt",
        Effect.HOLD,
        Actor.NOBODY,
        "Sent, but the answer was lost. The Spine is asked before anything is sent again.",
    )
    TECH_UNTOLD = (
        "tech.untold",
        Effect.HOLD,
        Actor.NATIONAL,
        "Sent, but the answer was lost, and the Spine refuses to say if it has it. It is asked again by itself.",
    )
    STORE_NOTHING = (
        "store.nothing",
        Effect.CANCEL,
        Actor.NOBODY,
        "Nothing to remove: the Spine holds no record.",
    )
    STORE_SAME = (
        "store.same",
        Effect.CANCEL,
        Actor.NOBODY,
        "Nothing to send: the Spine holds exactly this.",
    )
    STORE_OTHERS = (
        "store.others",
        Effect.CANCEL,
        Actor.NOBODY,
        "Nothing to note: what the Spine holds is not what this practice sent last.",
    )
    STORE_AGREES = (
        "store.agrees",
        Effect.CANCEL,
        Actor.NOBODY,
        "Nothing to remove: the Spine says No, and nothing of ours is there.",
    )
    JOB_SUPERSEDED = ("job.superseded", Effect.CANCEL, Actor.NOBODY, "A later request took its place.")
    JOB_CANCELLED = ("job.cancelled", Effect.CANCEL, Actor.NOBODY, "The practice cancelled it.")
    JOB_PAUSED = (
        "job.paused",
        Effect.HOLD,
        Actor.MANAGER,
        "The run of uploads that it belongs to is paused.",
    )
    JOB_HOURS = (
        "job.hours",
        Effect.HOLD,
        Actor.NOBODY,
        "Waiting for the hours in which its run of uploads sends.",
    )
    JOB_RUN_CANCELLED = (
        "job.run_cancelled",
        Effect.CANCEL,
        Actor.NOBODY,
        "The run of uploads that it belonged to was cancelled.",
    )
    JOB_OPEN = (
        "job.open",
        Effect.CANCEL,
        Actor.NOBODY,
        "An upload or removal was asked for already.",
    )
    JOB_UNDONE = ("job.undone", Effect.CANCEL, Actor.NOBODY, "The decision was undone before it was sent.")

    def __init__(self, code: str, effect: Effect, actor: Actor, sentence: str) -> None:
        self.code = code
        self.effect = effect
        self.actor = actor
        self.sentence = sentence

    @classmethod
    def of(cls, code: str) -> "Reason":
        """The reason with a stored code; raises `KeyError` for a code that never was one."""
        return _BY_CODE[code]


_BY_CODE = {reason.code: reason for reason in Reason}
