"""Why something about a survey cannot be done."""


class SurveyRefused(Exception):
    """`field` names what to mend, if it is on the form; the message says how."""

    def __init__(self, field: str | None, message: str) -> None:
        super().__init__(message)
        self.field = field
