"""Every address; each app brings its own."""

from django.urls import URLPattern, URLResolver, include, path

from config import static_pages
from config.health import health
from reports.views import home

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("config.account_urls")),
    path("", home, name="home"),
    path("patients/", include("consent.urls")),
    path("consent/bulk/", include("consent.bulk_urls")),
    path("consent/sheet/", include("consent.sheet.urls")),
    path("imports/", include("consent.imports.urls")),
    path("", include("boycott.urls")),
    path("surveys/", include("boycott.surveys.urls")),
    path("", include("spine.urls")),
    path("", include("reports.urls")),
    path("api/", include("config.api_urls")),
    path("health/", health, name="health"),
    path("help/", static_pages.help_page, name="help"),
    path("accessibility/", static_pages.accessibility, name="accessibility"),
    path("privacy/", static_pages.privacy, name="privacy"),
]

handler400 = "config.errors.bad_request"
handler403 = "config.errors.forbidden"
handler404 = "config.errors.not_found"
handler500 = "config.errors.server_error"
