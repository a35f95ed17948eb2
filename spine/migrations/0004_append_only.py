"""Steps after a stop only grow."""

from django.db import migrations

from carerecords.append_only import protect


class Migration(migrations.Migration):
    dependencies = [("spine", "0003_stop_steps")]
    operations = [protect("spine_stopstep")]
