"""Addresses of pages that show consent, policy and sending together, as only this floor may."""

from django.urls import path

from spine.letters import views as letter_views
from spine.permission import views as permission_views
from spine.policy import (
    approval_views,
    consent_model_views,
    dispensation_views,
    reopening_views,
    stance_views,
    stop_views,
)
from spine.policy import views as policy_views
from spine.runs import views as run_views
from spine.uploads import day_views, preview_views
from spine.uploads import step_views as upload_step_views
from spine.uploads import views as upload_views

app_name = "spine"
urlpatterns = [
    path("patients/<uuid:public_id>/upload/", preview_views.upload_preview, name="preview"),
    path("patients/<uuid:public_id>/why/", day_views.why_on_day, name="why_on_day"),
    path("patients/<uuid:public_id>/letter/", letter_views.letter, name="letter"),
    path("patients/<uuid:public_id>/letter/pdf/", letter_views.letter_pdf, name="letter_pdf"),
    path("consent/bulk/<uuid:public_id>/letters/", letter_views.run_letters, name="run_letters"),
    path("policy/changes/new/", policy_views.change_new, name="change_new"),
    path("policy/changes/<uuid:public_id>/", policy_views.change, name="change"),
    path("policy/changes/<uuid:public_id>/edit/", policy_views.change_edit, name="change_edit"),
    path(
        "policy/changes/<uuid:public_id>/practices/", policy_views.change_practices, name="change_practices"
    ),
    path("policy/changes/<uuid:public_id>/reopening/", reopening_views.of_change, name="change_reopening"),
    path("policy/changes/<uuid:public_id>/submit/", policy_views.change_submit, name="change_submit"),
    path("policy/changes/<uuid:public_id>/approve/", approval_views.change_approve, name="change_approve"),
    path("policy/changes/<uuid:public_id>/reject/", approval_views.change_reject, name="change_reject"),
    path("policy/changes/<uuid:public_id>/cancel/", approval_views.change_cancel, name="change_cancel"),
    path("consent/model/", consent_model_views.consent_model, name="consent_model"),
    path("policy/dispensations/", dispensation_views.dispensations, name="dispensations"),
    path("policy/dispensations/new/", dispensation_views.dispensation_new, name="dispensation_new"),
    path("policy/dispensations/<uuid:public_id>/", dispensation_views.dispensation, name="dispensation"),
    path(
        "policy/dispensations/<uuid:public_id>/reopening/",
        reopening_views.of_dispensation,
        name="dispensation_reopening",
    ),
    path("policy/stop/reopening/", reopening_views.of_stop, name="stop_reopening"),
    path("policy/stop/", stop_views.stop, name="stop"),
    path("practice/stance/", stance_views.practice_stance, name="practice_stance"),
    path("practice/stance/check/", stance_views.check_practice_stance, name="practice_stance_check"),
    path("practice/stance/mine/", stance_views.own_stance, name="own_stance"),
    path("practice/stance/mine/check/", stance_views.check_own_stance, name="own_stance_check"),
    path("patients/<uuid:public_id>/permission/", permission_views.permission, name="permission"),
    path("uploads/differences/", permission_views.mismatches, name="mismatches"),
    path("uploads/", upload_views.uploads, name="uploads"),
    path("uploads/runs/", run_views.runs, name="runs"),
    path("uploads/runs/new/", run_views.run_new, name="run_new"),
    path("uploads/runs/<uuid:public_id>/", run_views.run, name="run"),
    path("uploads/runs/<uuid:public_id>/check/", run_views.run_check, name="run_check"),
    path("uploads/runs/<uuid:public_id>/step/", run_views.run_step, name="run_step"),
    path("uploads/runs/<uuid:public_id>/cancel/", run_views.run_cancel, name="run_cancel"),
    path("uploads/problems/", upload_step_views.problems, name="problems"),
    path("uploads/problems/again/", upload_step_views.try_all_again, name="problems_again"),
    path("uploads/<uuid:public_id>/", upload_views.upload, name="upload"),
    path("uploads/<uuid:public_id>/again/", upload_step_views.try_again, name="upload_again"),
    path("uploads/<uuid:public_id>/cancel/", upload_step_views.cancel, name="upload_cancel"),
]
