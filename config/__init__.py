"""The roof: settings, addresses, the Celery app and the embedded services."""
