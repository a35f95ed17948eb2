"""The access log only grows; and the sequence behind the fact clock."""

from django.db import migrations

from carerecords.append_only import protect


class Migration(migrations.Migration):
    dependencies = [("carerecords", "0001_initial")]
    operations = [
        migrations.RunSQL(
            "CREATE SEQUENCE carerecords_fact_number",
            "DROP SEQUENCE carerecords_fact_number",
        ),
        protect("carerecords_accessevent"),
    ]
