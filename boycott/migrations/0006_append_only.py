"""Guidance only grows."""

from django.db import migrations

from carerecords.append_only import protect


class Migration(migrations.Migration):
    dependencies = [("boycott", "0005_guidance")]
    operations = [
        protect("boycott_guidancepage"),
        protect("boycott_guidancerevision"),
        protect("boycott_guidancepublication"),
        protect("boycott_guidanceacknowledgement"),
    ]
