"""Addresses of the policy page, motions and guidance. Pages that need consent or sending live in `spine.urls`."""

from django.urls import path

from boycott import motion_views, views
from boycott.guidance import views as guidance_views
from boycott.guidance import writing_views

app_name = "boycott"
urlpatterns = [
    path("policy/", views.policy, name="policy"),
    path("policy/motions/", motion_views.motions, name="motions"),
    path("policy/motions/new/", motion_views.motion_new, name="motion_new"),
    path("policy/motions/<uuid:motion_id>/", motion_views.motion, name="motion"),
    path("policy/motions/<uuid:motion_id>/edit/", motion_views.motion_edit, name="motion_edit"),
    path("policy/changes/", views.changes, name="changes"),
    path("policy/notices/<uuid:public_id>/read/", views.read_notice, name="read_notice"),
    path("policy/guidance/", guidance_views.guidance_list, name="guidance_list"),
    path("policy/guidance/new/", writing_views.guidance_new, name="guidance_new"),
    path("policy/guidance/<slug:slug>/", guidance_views.guidance, name="guidance"),
    path("policy/guidance/<slug:slug>/edit/", writing_views.guidance_edit, name="guidance_edit"),
    path("policy/guidance/<slug:slug>/draft/", writing_views.guidance_draft, name="guidance_draft"),
    path("policy/guidance/<slug:slug>/publish/", writing_views.guidance_publish, name="guidance_publish"),
    path(
        "policy/guidance/<slug:slug>/acknowledge/",
        guidance_views.guidance_acknowledge,
        name="guidance_acknowledge",
    ),
    path("policy/guidance/<slug:slug>/versions/", guidance_views.guidance_versions, name="guidance_versions"),
]
