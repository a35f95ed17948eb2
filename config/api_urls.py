"""Addresses of the API. They hold public ids only; what is personal travels in bodies."""

from django.urls import include, path

from boycott.surveys import api as surveys_api
from config.api_docs import docs, schema
from consent import api as consent_api
from spine import api as spine_api

version_1 = [
    path("patients/", consent_api.PatientsView.as_view(), name="patients"),
    path("patients/find/", consent_api.FindView.as_view(), name="find"),
    path("patients/<uuid:public_id>/", consent_api.PatientView.as_view(), name="patient"),
    path("patients/<uuid:public_id>/decisions/", consent_api.DecisionsView.as_view(), name="decisions"),
    path("patients/<uuid:public_id>/explain/", spine_api.ExplainView.as_view(), name="explain"),
    path("decisions/<uuid:public_id>/undo/", consent_api.UndoView.as_view(), name="undo"),
    path("decisions/<uuid:public_id>/invalid/", consent_api.InvalidView.as_view(), name="invalid"),
    path("surveys/", surveys_api.SurveysView.as_view(), name="surveys"),
    path("surveys/<uuid:public_id>/results/", surveys_api.ResultsView.as_view(), name="survey_results"),
    path("uploads/", spine_api.UploadsView.as_view(), name="uploads"),
    path("uploads/<uuid:public_id>/", spine_api.UploadView.as_view(), name="upload"),
]

app_name = "api"
urlpatterns = [
    path("v1/", include((version_1, "v1"))),
    path("schema/", schema, name="schema"),
    path("docs/", docs, name="docs"),
]
