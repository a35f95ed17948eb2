"""Addresses of the consent pages. They hold public ids and tokens, never a name or a number."""

from django.urls import path

from consent.views import conflict, decision, invalid, letters, patient, patients, undo, whole

app_name = "consent"
urlpatterns = [
    path("", patients.patient_list, name="list"),
    path("search/", patients.search, name="search"),
    path("<uuid:public_id>/", patient.patient_page, name="patient"),
    path("<uuid:public_id>/reason/", patient.reason, name="reason"),
    path("<uuid:public_id>/consent/new/", decision.record, name="record"),
    path("<uuid:public_id>/consent/draft/", decision.draft, name="draft"),
    path("<uuid:public_id>/consent/<uuid:event_id>/undo/", undo.undo_event, name="undo"),
    path("<uuid:public_id>/consent/<uuid:event_id>/invalid/", invalid.invalid, name="invalid"),
    path("<uuid:public_id>/consent/<uuid:event_id>/confirm/", conflict.confirm, name="confirm"),
    path("<uuid:public_id>/letters/<uuid:letter_id>/returned/", letters.returned, name="letter_returned"),
    path("<uuid:public_id>/history/", whole.whole_history, name="history"),
    path("<uuid:public_id>/access/", whole.who_has_looked, name="access"),
]
