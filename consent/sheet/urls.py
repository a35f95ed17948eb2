"""Addresses of the consent sheet."""

from django.urls import path

from consent.sheet import background, pages, starting

app_name = "sheet"
urlpatterns = [
    path("", starting.start, name="start"),
    path("<uuid:sheet_id>/", pages.sheet_page, name="sheet"),
    path("<uuid:sheet_id>/draft/", background.draft, name="draft"),
    path("<uuid:sheet_id>/rows/<uuid:row_id>/", background.row, name="row"),
    path("<uuid:sheet_id>/rows/<uuid:row_id>/defer/", pages.defer, name="defer"),
]
