"""A job may be a notice on the store's copy."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("carerecords", "0015_quieted_dispensation"),
    ]

    operations = [
        migrations.AlterField(
            model_name="uploadjob",
            name="kind",
            field=models.CharField(
                choices=[("UPLOAD", "Upload"), ("WITHDRAWAL", "Withdrawal"), ("NOTICE", "Notice")],
                max_length=10,
            ),
        ),
    ]
