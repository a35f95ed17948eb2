"""Answers typed and not yet saved, kept on the server so that no log-out loses them."""

import uuid

from django.conf import settings
from django.db import models


class FormDraft(models.Model):
    """What one user typed into the decision form of one patient. Never a decision."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", db_index=False
    )
    # The patient's public id. No link: a draft binds nothing, and goes by itself.
    about = models.UUIDField(default=uuid.uuid4)
    values = models.JSONField()
    saved_at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(name="consent_formdraft_one_a_form", fields=["user", "about"])]

    def __str__(self) -> str:
        return f"draft {self.pk}"
