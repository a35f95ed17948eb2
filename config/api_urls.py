"""Addresses of the API. They hold public ids only; what is personal travels in bodies."""

from django.urls import include, path

from boycott import api as policy_api
from boycott import change_api
from boycott.surveys import api as surveys_api
from config.api_docs import docs, schema
from consent import api as consent_api
from spine.policy import api as impact_api
from spine.policy import stop_api
from spine.uploads import api as spine_api

version_1 = [
    path("patients/", consent_api.PatientsView.as_view(), name="patients"),
    path("patients/find/", consent_api.FindView.as_view(), name="find"),
    path("patients/<uuid:public_id>/", consent_api.PatientView.as_view(), name="patient"),
    path("patients/<uuid:public_id>/decisions/", consent_api.DecisionsView.as_view(), name="decisions"),
    path("patients/<uuid:public_id>/explain/", spine_api.ExplainView.as_view(), name="explain"),
    path("decisions/<uuid:public_id>/undo/", consent_api.UndoView.as_view(), name="undo"),
    path("decisions/<uuid:public_id>/invalid/", consent_api.InvalidView.as_view(), name="invalid"),
    path("policy/", policy_api.PolicyView.as_view(), name="policy"),
    path("policy/motions/", policy_api.MotionsView.as_view(), name="policy_motions"),
    path("policy/motions/<uuid:public_id>/", policy_api.MotionView.as_view(), name="policy_motion"),
    path("policy/changes/", change_api.ChangesView.as_view(), name="policy_changes"),
    path("policy/changes/<uuid:public_id>/", change_api.ChangeView.as_view(), name="policy_change"),
    path(
        "policy/changes/<uuid:public_id>/impact/",
        impact_api.ImpactView.as_view(),
        name="policy_change_impact",
    ),
    path("policy/changes/<uuid:public_id>/edit/", change_api.EditView.as_view(), name="policy_change_edit"),
    path(
        "policy/changes/<uuid:public_id>/submit/",
        change_api.SubmitView.as_view(),
        name="policy_change_submit",
    ),
    path(
        "policy/changes/<uuid:public_id>/approve/",
        change_api.ApproveView.as_view(),
        name="policy_change_approve",
    ),
    path(
        "policy/changes/<uuid:public_id>/reject/",
        change_api.RejectView.as_view(),
        name="policy_change_reject",
    ),
    path(
        "policy/changes/<uuid:public_id>/cancel/",
        change_api.CancelView.as_view(),
        name="policy_change_cancel",
    ),
    path("policy/stop/", stop_api.StopView.as_view(), name="policy_stop"),
    path("policy/stop/review/", stop_api.ReviewView.as_view(), name="policy_stop_review"),
    path("policy/stop/ask/", stop_api.AskView.as_view(), name="policy_stop_ask"),
    path("policy/stop/decline/", stop_api.DeclineView.as_view(), name="policy_stop_decline"),
    path("policy/stop/agree/", stop_api.AgreeView.as_view(), name="policy_stop_agree"),
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
