from django.db import migrations, models
from django.db.models import F
from django.db.models.functions import Upper


class Migration(migrations.Migration):
    dependencies = [("carerecords", "0011_quieted")]

    operations = [
        migrations.AddIndex(
            model_name="patient",
            index=models.Index(F("practice"), Upper("given_name"), name="patient_given"),
        ),
    ]
