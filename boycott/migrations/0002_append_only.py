"""Positions and stances only grow."""

from django.db import migrations

from carerecords.append_only import protect


class Migration(migrations.Migration):
    dependencies = [("boycott", "0001_initial")]
    operations = [
        protect("boycott_positionrevision"),
        protect("boycott_stancerevision"),
        protect("boycott_gpstancerevision"),
    ]
