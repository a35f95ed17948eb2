"""Indexes in the order in which jobs are claimed, so that a claim sorts nothing that waits."""

from django.db import migrations, models

OPEN = ["WAITING", "HELD"]


class Migration(migrations.Migration):
    dependencies = [("carerecords", "0005_access_kinds")]

    operations = [
        migrations.AddIndex(
            "uploadjob",
            models.Index(
                fields=["kind", "due_at"],
                name="uploadjob_due_by_kind",
                condition=models.Q(("state__in", OPEN)),
            ),
        ),
        migrations.AddIndex(
            "uploadjob",
            models.Index(
                fields=["clock_seen"], name="uploadjob_held_longest", condition=models.Q(("state", "HELD"))
            ),
        ),
        migrations.RemoveIndex("uploadjob", "uploadjob_due"),
    ]
