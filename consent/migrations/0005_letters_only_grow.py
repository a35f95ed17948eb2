"""Letters and deferrals only grow."""

from django.db import migrations

from carerecords.append_only import protect


class Migration(migrations.Migration):
    dependencies = [("consent", "0004_bulk_letters_withdrawal")]
    operations = [
        protect("consent_noticeletter"),
        protect("consent_deferral"),
    ]
