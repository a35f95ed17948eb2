"""Puts back what 0009 took with it.

Django ends a foreign key's index by dropping every index of that one column, unique ones with a
condition among them: the two constraints of one open and one busy job a patient. The models still
had them, so `makemigrations` saw nothing missing.
"""

from django.db import migrations

_UNIQUE = """
CREATE UNIQUE INDEX IF NOT EXISTS carerecords_uploadjob_one_open_a_patient
    ON carerecords_uploadjob (patient_id) WHERE state IN ('WAITING', 'HELD');
CREATE UNIQUE INDEX IF NOT EXISTS carerecords_uploadjob_one_busy_a_patient
    ON carerecords_uploadjob (patient_id) WHERE state IN ('SENDING', 'IN_DOUBT')
"""


class Migration(migrations.Migration):
    dependencies = [("carerecords", "0009_fewer_indexes")]

    operations = [migrations.RunSQL(_UNIQUE, migrations.RunSQL.noop)]
