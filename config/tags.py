"""The word and the colour of each state, the same on every page. Colour never stands alone.

Colours follow the NHS design system's tag: red only for what went wrong or was refused, the first
four consent colours as "Manage vaccinations in schools" uses them (screens design, section 1).
"""

from dataclasses import dataclass
from functools import lru_cache

from markupsafe import Markup

from carerecords.models import JobKind, JobState
from consent.codes import ConsentState
from spine.uploads.endings import Ending, ending_of


@dataclass(frozen=True)
class Tag:
    """What a tag says, and the design system's colour for it."""

    text: str
    colour: str

    @property
    def markup(self) -> Markup:
        """As every page draws it."""
        return _draw(self.text, self.colour)


# A list has two in each row; the design system's macro would cost more than the rest of the row.
@lru_cache(maxsize=256)
def _draw(text: str, colour: str) -> Markup:
    return Markup('<strong class="nhsuk-tag nhsuk-tag--{}">{}</strong>').format(colour, text)


_CONSENT = {
    ConsentState.NONE: Tag("No decision", "grey"),
    ConsentState.IMPLIED_CORE: Tag("Implied consent", "aqua-green"),
    ConsentState.EXPRESS_CORE: Tag("Consent given", "green"),
    ConsentState.EXPRESS_ADDITIONAL: Tag("Consent given", "green"),
    ConsentState.EXPRESS_DISSENT: Tag("Consent refused", "red"),
    ConsentState.WITHDRAWN: Tag("Consent withdrawn", "white"),
    ConsentState.CONFLICT: Tag("Conflicting", "orange"),
    ConsentState.LATER: Tag("Starts later", "blue"),
}
_CONSENT_BY_VALUE = {state.value: tag for state, tag in _CONSENT.items()}
DIFFERS_FROM_SPINE = Tag("Differs from Spine", "purple")

_UPLOAD = {
    state: Tag(state.label, colour)
    for state, colour in {
        JobState.WAITING: "blue",
        JobState.HELD: "yellow",
        JobState.SENDING: "blue",
        JobState.IN_DOUBT: "orange",
        JobState.ACCEPTED: "green",
        JobState.CANCELLED: "grey",
        JobState.FAILED: "red",
    }.items()
}
NEEDLESS = Tag(Ending.NEEDLESS.label, "grey")
NOT_DUE = Tag("Not due", "grey")
WITHDRAWN = Tag("Withdrawn", "white")


def consent_tag(state: str) -> Tag:
    """The tag of a `ConsentState`; an unknown state is an error, never a guess."""
    return _CONSENT_BY_VALUE[state]


def upload_tag(state: str | None, kind: str = JobKind.UPLOAD, reason: str | None = None) -> Tag:
    """The tag of a job by its first reason, or "Not due" where there is none."""
    if not state:
        return NOT_DUE
    if kind == JobKind.WITHDRAWAL and state == JobState.ACCEPTED:
        return WITHDRAWN
    if state == JobState.CANCELLED and ending_of(reason) is Ending.NEEDLESS:
        return NEEDLESS
    return _UPLOAD[JobState(state)]


def state_words(state: str) -> str:
    """What counts and filters by the state alone are of: each tag that jobs in it may have."""
    words = upload_tag(state).text
    return f"{words} or {NEEDLESS.text.lower()}" if state == JobState.CANCELLED else words
