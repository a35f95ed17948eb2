"""A number that grows whenever a fact of many patients changes."""

from django.db import models
from django.db.models.functions import Now

NATIONAL = 0


class FactClock(models.Model):
    """The last change of the nation's facts (scope 0) or of one practice's (scope = its id).

    A held job remembers the number it was decided under; a larger number here means that a fact
    it may cite has changed, and it is asked again. Numbers, not times: clocks step.
    """

    scope = models.BigIntegerField(primary_key=True)
    number = models.BigIntegerField()
    changed_at = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return f"scope {self.scope}: {self.number}"
