from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("carerecords", "0017_failed_anywhere"),
    ]

    operations = [
        migrations.AddField(
            model_name="uploadjob",
            name="may_have_arrived",
            field=models.BooleanField(db_default=False, default=False),
        ),
    ]
