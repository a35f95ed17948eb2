"""Addresses of imports."""

from django.urls import path

from consent.codes import ImportKind
from consent.views import imports

app_name = "imports"
urlpatterns = [
    path("", imports.import_list, name="list"),
    path("new/", imports.new, name="new"),
    path("<uuid:public_id>/", imports.import_page, name="import"),
    path("<uuid:public_id>/approve/", imports.approve, name="approve"),
    path("<uuid:public_id>/cancel/", imports.cancel, name="cancel"),
    path("<uuid:public_id>/undo/", imports.undo, name="undo"),
    path("<uuid:public_id>/errors.csv", imports.errors, name="errors"),
    *(
        path(
            f"templates/{kind.lower()}.{form}",
            imports.template,
            {"kind": kind, "form": form},
            name=f"template_{kind.lower()}_{form}",
        )
        for kind in ImportKind
        for form in ("csv", "xlsx")
    ),
]
