"""Conversions only grow."""

from django.db import migrations

from carerecords.append_only import protect


class Migration(migrations.Migration):
    dependencies = [("reports", "0001_conversions")]
    operations = [protect("reports_conversion")]
