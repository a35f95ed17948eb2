"""Addresses of pages that read across everything."""

from django.urls import URLPattern, URLResolver, path

from reports import (
    national_views,
    practice_views,
    refusal_views,
    replay_views,
    sending_views,
    staleness_views,
)

app_name = "reports"
urlpatterns: list[URLPattern | URLResolver] = [
    path("reports/", practice_views.reports, name="index"),
    path("reports/practice.csv", practice_views.practice_csv, name="practice_csv"),
    path("reports/replays/", replay_views.replays, name="replays"),
    path("reports/replays/<slug:scenario>/", replay_views.replay_page, name="replay"),
    path("reports/sending/", sending_views.sending, name="sending"),
    path("reports/staleness/", staleness_views.staleness_page, name="staleness"),
    path("reports/staleness.csv", staleness_views.staleness_csv, name="staleness_csv"),
    path("reports/adoption/", national_views.adoption_page, name="adoption"),
    path("reports/projection/", national_views.projection_page, name="projection"),
    path("reports/refusals/", refusal_views.refusal_evidence, name="refusals"),
    path("reports/refusals/<uuid:burst_id>/", refusal_views.burst_detail, name="burst"),
    path("reports/refusals/<uuid:burst_id>/convert/", refusal_views.conversion_form, name="conversion_form"),
    path(
        "reports/refusals/<uuid:burst_id>/convert/check/",
        refusal_views.conversion_check,
        name="conversion_check",
    ),
    path("reports/conversions/<uuid:public_id>/", refusal_views.conversion, name="conversion"),
    path("reports/conversions/<uuid:public_id>/undo/", refusal_views.conversion_back, name="conversion_back"),
]
