"""The list by date of decision, and counts of the practice's list as it stands, from indexes."""

from django.db import migrations, models
from django.db.models import F, Q

from carerecords.keyset import NewestFirst


class Migration(migrations.Migration):
    dependencies = [("carerecords", "0003_summaryitem_code_optional")]

    operations = [
        migrations.AddIndex(
            model_name="patient",
            index=models.Index(
                F("practice"),
                NewestFirst("consent_decided_on"),
                F("family_name"),
                F("given_name"),
                F("id"),
                name="patient_list_by_decision",
            ),
        ),
        migrations.AddIndex(
            model_name="patient",
            index=models.Index(
                fields=["practice", "consent_state"],
                name="patient_here_by_state",
                condition=Q(left_on__isnull=True, died_on__isnull=True),
            ),
        ),
    ]
