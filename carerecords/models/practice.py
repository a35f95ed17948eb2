"""General practices of England."""

from django.db import models


class Practice(models.Model):
    """One practice, as the Organisation Data Service names it, and the door to its patients."""

    class Status(models.TextChoices):
        ACTIVE = "ACTIVE", "Active"
        CLOSED = "CLOSED", "Closed"
        DORMANT = "DORMANT", "Dormant"

    ods_code = models.CharField(max_length=6, unique=True)
    name = models.CharField(max_length=100)
    address = models.CharField(max_length=300)
    postcode = models.CharField(max_length=8)
    region_code = models.CharField(max_length=3)
    region_name = models.CharField(max_length=60)
    icb_code = models.CharField(max_length=5)
    sub_icb_code = models.CharField(max_length=5)
    status = models.CharField(max_length=8, choices=Status)
    list_size = models.PositiveIntegerField(help_text="Registered patients, January 2021")
    # The programme's date from which this practice may upload. None: not planned yet, so held.
    goes_live_on = models.DateField(null=True, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["region_code"]),
            models.Index(fields=["icb_code"]),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.ods_code})"
