"""A practice finds the runs that it is in."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("carerecords", "0016_notices"),
        ("spine", "0011_runs_of_a_list"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="sendingshare",
            index=models.Index(fields=["practice", "-run"], name="sendingshare_practice"),
        ),
    ]
