"""The product's addresses, and the peers'."""

from django.urls import path

from bench.peers import pages, ready
from config.urls import handler400, handler403, handler404, handler500, urlpatterns

urlpatterns = [
    *urlpatterns,
    path("peers/n-plus-one/", pages.n_plus_one),
    path("peers/paginator/", pages.paginator),
    path("peers/behind-log-in/", ready.page),
]

__all__ = ["handler400", "handler403", "handler404", "handler500", "urlpatterns"]
