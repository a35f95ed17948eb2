"""Addresses of the work on several patients at once."""

from django.urls import path

from consent.views import bulk, bulk_export

app_name = "bulk"
urlpatterns = [
    path("", bulk.runs, name="runs"),
    path("new/", bulk.new, name="new"),
    path("export/", bulk_export.selection, name="export"),
    path("<uuid:public_id>/", bulk.run_page, name="run"),
    path("<uuid:public_id>/check/", bulk.check, name="check"),
    path("<uuid:public_id>/undo/", bulk.undo, name="undo"),
    path("<uuid:public_id>/results/", bulk_export.results, name="results"),
]
