"""The proof of every send only grows."""

from django.db import migrations

from carerecords.append_only import protect


class Migration(migrations.Migration):
    dependencies = [("spine", "0001_initial")]
    operations = [
        protect("spine_gatedecision"),
        protect("spine_uploadattempt"),
        protect("spine_receipt"),
        protect("spine_stoprevision"),
    ]
