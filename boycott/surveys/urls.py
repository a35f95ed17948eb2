"""Addresses of surveys and ballots."""

from django.urls import path

from boycott.surveys import running_views, views

app_name = "surveys"
urlpatterns = [
    path("", views.survey_list, name="list"),
    path("new/", running_views.survey_new, name="new"),
    path("<uuid:public_id>/", views.survey, name="survey"),
    path("<uuid:public_id>/edit/", running_views.survey_edit, name="edit"),
    path("<uuid:public_id>/run/", running_views.survey_run, name="run"),
    path("<uuid:public_id>/results/", views.results, name="results"),
]
