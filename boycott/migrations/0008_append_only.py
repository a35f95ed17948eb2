"""Surveys and ballots only grow, but for sealed papers and their seals, which the count destroys."""

from django.db import migrations

from carerecords.append_only import protect


class Migration(migrations.Migration):
    dependencies = [("boycott", "0007_surveys")]
    operations = [
        protect("boycott_survey"),
        protect("boycott_surveywording"),
        protect("boycott_surveyoption"),
        protect("boycott_surveyopening"),
        protect("boycott_surveyclosing"),
        protect("boycott_rollentry"),
        protect("boycott_surveyanswer"),
        protect("boycott_hasvoted"),
        protect("boycott_ballotcount"),
        protect("boycott_countedpaper"),
    ]
