"""Runs of notices."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("spine", "0009_sending_runs"),
    ]

    operations = [
        migrations.AlterField(
            model_name="sendingrun",
            name="kind",
            field=models.CharField(
                choices=[
                    ("INITIAL", "First upload"),
                    ("UPDATE", "Update"),
                    ("MIGRATION", "Consent migration"),
                    ("LEAVERS", "Patients who have left"),
                    ("ENDED", "Practice no longer contributes"),
                ],
                max_length=16,
            ),
        ),
    ]
