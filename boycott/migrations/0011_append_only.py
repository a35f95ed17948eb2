"""Dispensations and their steps only grow."""

from django.db import migrations

from carerecords.append_only import protect


class Migration(migrations.Migration):
    dependencies = [("boycott", "0010_dispensations")]
    operations = [protect("boycott_dispensation"), protect("boycott_dispensationstep")]
