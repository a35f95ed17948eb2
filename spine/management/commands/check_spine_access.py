"""`manage.py check_spine_access`: whether the settings let us in, before anything is sent."""

import time
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError

from spine.sending.credentials import NoToken, application_from_settings, ask_for_token


class Command(BaseCommand):
    help = "Asks for an access token as a worker would, and says what came of it. Sends nothing else."

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.SPINE_SIGNED_JWT:
            shown = "SPINE_BEARER_TOKEN is shown" if settings.SPINE_BEARER_TOKEN else "nothing is shown"
            self.stdout.write(f"No signed statement is set up: {shown} to {settings.SPINE_BASE_URL}.")
            return
        began = time.monotonic()
        try:
            _, lifetime = ask_for_token(application_from_settings())
        except ImproperlyConfigured as error:
            raise CommandError(str(error)) from None
        except NoToken as error:
            raise CommandError(error.why) from None
        took = time.monotonic() - began
        self.stdout.write(f"Let in: a token for {lifetime:.0f} seconds, after {took:.2f} seconds.")
