"""Addresses of the policy page. Pages that need consent or sending as well live in `spine.urls`."""

from django.urls import path

from boycott import views

app_name = "boycott"
urlpatterns = [
    path("policy/", views.policy, name="policy"),
]
