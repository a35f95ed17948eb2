"""Addresses of the consent pages. They hold public ids and tokens, never a name or a number."""

from django.urls import path

from consent.views import decision, patient, patients, undo

app_name = "consent"
urlpatterns = [
    path("", patients.patient_list, name="list"),
    path("search/", patients.search, name="search"),
    path("<uuid:public_id>/", patient.patient_page, name="patient"),
    path("<uuid:public_id>/reason/", patient.reason, name="reason"),
    path("<uuid:public_id>/consent/new/", decision.record, name="record"),
    path("<uuid:public_id>/consent/draft/", decision.draft, name="draft"),
    path("<uuid:public_id>/consent/<uuid:event_id>/undo/", undo.undo_event, name="undo"),
]
