"""The index over what is due goes from practice to practice, so that these take turns."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("carerecords", "0012_search_by_given_name")]

    operations = [
        migrations.AddIndex(
            "uploadjob",
            models.Index(
                fields=["kind", "practice", "due_at"],
                name="uploadjob_due_by_practice",
                condition=models.Q(("due_at__isnull", False), ("state__in", ["WAITING", "HELD"])),
            ),
        ),
        migrations.RemoveIndex("uploadjob", "uploadjob_due_by_kind"),
    ]
