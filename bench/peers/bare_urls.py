"""One page of bytes."""

from django.urls import path

from bench.peers import ready

urlpatterns = [path("peers/static/", ready.page), path("health/", ready.page)]
