"""Proposals of the nation's rule, and codes, only grow."""

from django.db import migrations

from carerecords.append_only import protect


class Migration(migrations.Migration):
    dependencies = [("consent", "0008_national_model_and_codes")]
    operations = [
        protect("consent_consentmodelproposal"),
        protect("consent_preferencecode"),
    ]
