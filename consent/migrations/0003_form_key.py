"""The same form sent twice is one decision."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("consent", "0002_append_only")]

    operations = [
        migrations.AddField(
            model_name="consentevent",
            name="form_key",
            field=models.UUIDField(null=True, blank=True, unique=True),
        ),
    ]
