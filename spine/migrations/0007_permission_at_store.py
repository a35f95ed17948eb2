import uuid

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("carerecords", "0011_quieted"),
        ("spine", "0006_upload_steps"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="PermissionCall",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "act",
                    models.CharField(
                        choices=[("READ", "Asked the Spine"), ("SET", "Set at the Spine")], max_length=4
                    ),
                ),
                ("code", models.CharField(blank=True, max_length=4)),
                ("request_id", models.UUIDField(unique=True)),
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
                    "patient",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="permission_calls",
                        to="carerecords.patient",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="PermissionAnswer",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("at", models.DateTimeField()),
                ("kind", models.CharField(max_length=16)),
                ("http_status", models.PositiveSmallIntegerField(null=True)),
                ("detail", models.CharField(blank=True, max_length=200)),
                ("permission", models.CharField(blank=True, max_length=4)),
                (
                    "call",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="answer",
                        to="spine.permissioncall",
                    ),
                ),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="PermissionMismatch",
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
                            ("STORE_REFUSES", "The Spine says No, and the patient consents here"),
                            ("STORE_ALLOWS", "The patient refused here, and the Spine does not say No"),
                            (
                                "REMOVAL_STOPPED",
                                "The patient's record is to be removed, and the Spine says No to that",
                            ),
                        ],
                        max_length=15,
                    ),
                ),
                ("found_at", models.DateTimeField()),
                ("ended_at", models.DateTimeField(null=True)),
                (
                    "ending",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("SET", "The permission was set at the Spine"),
                            ("READ", "The Spine was asked again"),
                            ("CHANGED", "The decision here or the record at the Spine changed"),
                        ],
                        max_length=7,
                    ),
                ),
                (
                    "patient",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="permission_mismatches",
                        to="carerecords.patient",
                    ),
                ),
                (
                    "settled_by",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
        ),
        migrations.AddIndex(
            model_name="permissioncall",
            index=models.Index(fields=["patient", "id"], name="permissioncall_patient"),
        ),
        migrations.AddConstraint(
            model_name="permissioncall",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("act", "READ"), ("code", "")),
                    models.Q(("act", "SET"), ("code__in", ["Ask", "No"])),
                    _connector="OR",
                ),
                name="spine_permissioncall_sets_a_code",
            ),
        ),
        migrations.AddConstraint(
            model_name="permissionmismatch",
            constraint=models.UniqueConstraint(
                condition=models.Q(("ended_at", None)),
                fields=("patient",),
                name="spine_permissionmismatch_one_open",
            ),
        ),
        migrations.AddConstraint(
            model_name="permissionmismatch",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("ended_at", None), ("ending", ""), ("settled_by", None)),
                    models.Q(("ended_at__isnull", False), models.Q(("ending", ""), _negated=True)),
                    _connector="OR",
                ),
                name="spine_permissionmismatch_ended_somehow",
            ),
        ),
    ]
