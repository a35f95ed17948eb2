"""A run of uploads may ask for a job."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("carerecords", "0013_claim_by_practice"),
    ]

    operations = [
        migrations.AlterField(
            model_name="uploadjob",
            name="cause",
            field=models.CharField(
                choices=[
                    ("DECISION", "A decision was recorded"),
                    ("UNDO", "A decision was undone"),
                    ("UPDATE", "The record changed"),
                    ("RUN", "A run of uploads asked for it"),
                    ("DEMO", "Made with the demo patients"),
                ],
                max_length=10,
            ),
        ),
    ]
