"""The words of surveys and ballots. Pure."""

from carerecords.vocabulary import Term


class Kind(Term):
    """How answers are kept."""

    SURVEY = "SURVEY", "Survey"
    BALLOT = "BALLOT", "Secret ballot"


class Meaning(Term):
    """What an option says of BMA policy, so that answers can be projected."""

    FOLLOW = "FOLLOW", "Plans to follow BMA policy"
    DO_NOT_FOLLOW = "DO_NOT_FOLLOW", "Does not plan to follow it"
    NEITHER = "NEITHER", "Neither"


class SurveyState(Term):
    """Where a survey or ballot stands: by its rows and the calendar alone."""

    DRAFT = "DRAFT", "Draft"
    SCHEDULED = "SCHEDULED", "Opens later"
    OPEN = "OPEN", "Open"
    CLOSED = "CLOSED", "Closed"
