"""Runs of sending, their practices, patients and steps; the steps only grow."""

import datetime
import uuid

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from carerecords.append_only import protect


class Migration(migrations.Migration):
    dependencies = [
        ("carerecords", "0014_asked_for_by_a_run"),
        ("spine", "0008_append_only"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="SendingRun",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("public_id", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("INITIAL", "First upload"),
                            ("UPDATE", "Update"),
                            ("MIGRATION", "Consent migration"),
                        ],
                        max_length=16,
                    ),
                ),
                (
                    "group",
                    models.CharField(
                        choices=[
                            ("ALL", "All of them"),
                            ("EXPRESS", "Those who consent expressly"),
                            ("SILENT", "Those whose silence counts as consent"),
                        ],
                        default="ALL",
                        max_length=8,
                    ),
                ),
                ("older_than_days", models.PositiveSmallIntegerField(null=True)),
                (
                    "hours",
                    models.CharField(
                        choices=[
                            ("ANY", "At any time"),
                            ("EVERY_DAY", "Between these times, every day"),
                            ("WEEKENDS_TOO", "Between these times, and all day on Saturdays and Sundays"),
                        ],
                        default="ANY",
                        max_length=12,
                    ),
                ),
                ("opens", models.TimeField(default=datetime.time(0, 0))),
                ("closes", models.TimeField(default=datetime.time(0, 0))),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("DRAFT", "Not started"),
                            ("RUNNING", "Running"),
                            ("PAUSED", "Paused"),
                            ("FINISHED", "Finished"),
                            ("CANCELLED", "Cancelled"),
                        ],
                        default="DRAFT",
                        max_length=9,
                    ),
                ),
                ("made_at", models.DateTimeField()),
                (
                    "made_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "practice",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="sending_runs",
                        to="carerecords.practice",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="SendingRow",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("why", models.CharField(blank=True, max_length=30)),
                (
                    "job",
                    models.OneToOneField(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="sending_row",
                        to="carerecords.uploadjob",
                    ),
                ),
                (
                    "patient",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="carerecords.patient",
                    ),
                ),
                (
                    "run",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="rows",
                        to="spine.sendingrun",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="SendingRunStep",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("MADE", "Made"),
                            ("STARTED", "Started"),
                            ("PAUSED", "Paused"),
                            ("RESUMED", "Resumed"),
                            ("RERUN", "Failed uploads asked for again"),
                            ("CANCELLED", "Cancelled"),
                            ("FINISHED", "Finished"),
                        ],
                        max_length=9,
                    ),
                ),
                ("made_at", models.DateTimeField()),
                (
                    "made_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "run",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="steps",
                        to="spine.sendingrun",
                    ),
                ),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="SendingShare",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("taken_at", models.DateTimeField(null=True)),
                (
                    "practice",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="carerecords.practice",
                    ),
                ),
                (
                    "run",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="shares",
                        to="spine.sendingrun",
                    ),
                ),
            ],
        ),
        migrations.AddIndex(
            model_name="sendingrun",
            index=models.Index(fields=["practice", "-id"], name="sendingrun_practice"),
        ),
        migrations.AddIndex(
            model_name="sendingrun",
            index=models.Index(
                condition=models.Q(("state__in", ("RUNNING", "PAUSED"))),
                fields=["state"],
                name="sendingrun_under_way",
            ),
        ),
        migrations.AddConstraint(
            model_name="sendingrun",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state__in", ("RUNNING", "PAUSED"))),
                fields=("practice", "kind"),
                name="spine_sendingrun_one_of_a_kind",
            ),
        ),
        migrations.AddConstraint(
            model_name="sendingrun",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("hours", "ANY"), models.Q(("opens", models.F("closes")), _negated=True), _connector="OR"
                ),
                name="spine_sendingrun_hours_have_a_length",
            ),
        ),
        migrations.AddIndex(
            model_name="sendingrow",
            index=models.Index(
                condition=models.Q(("job", None), ("why", "")), fields=["run", "id"], name="sendingrow_to_ask"
            ),
        ),
        migrations.AddConstraint(
            model_name="sendingrow",
            constraint=models.UniqueConstraint(fields=("run", "patient"), name="spine_sendingrow_once_a_run"),
        ),
        migrations.AddIndex(
            model_name="sendingshare",
            index=models.Index(
                condition=models.Q(("taken_at", None)), fields=["run", "id"], name="sendingshare_to_take"
            ),
        ),
        migrations.AddConstraint(
            model_name="sendingshare",
            constraint=models.UniqueConstraint(fields=("run", "practice"), name="spine_sendingshare_once"),
        ),
        protect("spine_sendingrunstep"),
    ]
