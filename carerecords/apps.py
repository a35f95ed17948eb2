from django.apps import AppConfig


class CareRecordsConfig(AppConfig):
    name = "carerecords"
    verbose_name = "Care records"
