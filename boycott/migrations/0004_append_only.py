"""Motions, changes and notices only grow."""

from django.db import migrations

from carerecords.append_only import protect


class Migration(migrations.Migration):
    dependencies = [("boycott", "0003_motions_and_changes")]
    operations = [
        protect("boycott_motionrevision"),
        protect("boycott_policychange"),
        protect("boycott_changecontent"),
        protect("boycott_changestep"),
        protect("boycott_positionwithdrawal"),
        protect("boycott_notice"),
        protect("boycott_noticeread"),
    ]
