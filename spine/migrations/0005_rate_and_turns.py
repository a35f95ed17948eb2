"""The store's rate in one row, practices' turns; and no index on jobs that another begins with."""

import django.db.models.deletion
from django.db import migrations, models


def _job(name: str) -> models.ForeignKey:
    return models.ForeignKey(
        db_index=False,
        on_delete=django.db.models.deletion.PROTECT,
        related_name=name,
        to="carerecords.uploadjob",
    )


class Migration(migrations.Migration):
    dependencies = [("carerecords", "0013_claim_by_practice"), ("spine", "0004_append_only")]

    operations = [
        migrations.CreateModel(
            name="PracticeTurn",
            fields=[
                (
                    "practice",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="+",
                        serialize=False,
                        to="carerecords.practice",
                    ),
                ),
                ("number", models.BigIntegerField()),
            ],
        ),
        migrations.RunSQL("CREATE SEQUENCE spine_turn", "DROP SEQUENCE spine_turn"),
        migrations.CreateModel(
            name="RequestPace",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("next_at", models.DateTimeField()),
                ("paused_until", models.DateTimeField(null=True)),
            ],
        ),
        migrations.AlterField("gatedecision", "job", _job("decisions")),
        migrations.AlterField("receipt", "job", _job("receipts")),
        migrations.AlterField("uploadattempt", "job", _job("attempts")),
    ]
