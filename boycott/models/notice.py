"""What people are told on their home page of what became of their changes."""

import uuid

from django.conf import settings
from django.db import models

from boycott.models.change import PolicyChange
from carerecords.append_only import AppendOnly


class Notice(AppendOnly):
    """One thing that one person has to know. Each new event is a new row: none hides behind an old one."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    to = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="policy_notices")
    change = models.ForeignKey(PolicyChange, on_delete=models.PROTECT, related_name="notices")
    text = models.CharField(max_length=1500)
    made_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["to", "-id"], name="notice_to")]

    def __str__(self) -> str:
        return f"to {self.to_id}: {self.text}"


class NoticeRead(AppendOnly):
    """That the person has read it; it leaves the home page and stays in the history."""

    notice = models.OneToOneField(Notice, on_delete=models.PROTECT, related_name="read")
    made_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"read {self.made_at:%Y-%m-%d %H:%M}"
