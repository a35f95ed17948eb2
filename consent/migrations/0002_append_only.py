"""Consent events and consent models only grow."""

from django.db import migrations

from carerecords.append_only import protect


class Migration(migrations.Migration):
    dependencies = [("consent", "0001_initial")]
    operations = [
        protect("consent_consentevent"),
        protect("consent_consentmodelrevision"),
    ]
