"""Addresses of the policy page and of guidance. Pages that need consent or sending live in `spine.urls`."""

from django.urls import path

from boycott import views
from boycott.guidance import views as guidance_views
from boycott.guidance import writing_views

app_name = "boycott"
urlpatterns = [
    path("policy/", views.policy, name="policy"),
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
