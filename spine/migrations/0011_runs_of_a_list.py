"""A run may be for a filter of the list."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("spine", "0010_runs_of_notices"),
    ]

    operations = [
        migrations.AddField(
            model_name="sendingrun",
            name="list_filter",
            field=models.CharField(blank=True, db_default="", default="", max_length=300),
        ),
    ]
