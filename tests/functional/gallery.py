"""A site with one page: all components. Served to the browser by tests, never by the product."""

import datetime
from pathlib import Path
from types import SimpleNamespace

from django import forms
from django.contrib.auth.decorators import login_not_required
from django.contrib.messages import get_messages
from django.http import HttpResponse
from django.middleware.csrf import get_token
from django.template import engines
from django.template.backends.utils import csrf_input_lazy
from django.urls import include, path

from carerecords import flash
from carerecords.date_parts import DatePartsField
from carerecords.models import JobState
from consent.codes import ConsentState

TODAY = datetime.date(2008, 3, 3)
NOW = datetime.datetime(2008, 3, 3, 14, 32, tzinfo=datetime.UTC)
STRIPS = {
    "on_followed": "BMA boycott in force since 29 June 2007. Your practice follows it: uploads are stopped for "
    "11,204 patients.",
    "off": "No BMA boycott in force. Uploads run for patients with consent.",
    "on_not_followed": "BMA boycott in force since 29 June 2007. Your practice does not follow it: uploads "
    "continue for patients with consent.",
    "scheduled": "BMA boycott starts on 1 October 2007 at midday. Uploads run until then.",
    "conflict": "BMA policy is conflicting: 2 adopted positions disagree. Uploads are held until this is "
    "resolved.",
    "stop": "All uploads were stopped at 9:12am by R Patel. Reason: wrong practice code in receipts.",
}
LINKS = {"on_followed": "What this means", "conflict": "See both positions"}


class Form(forms.Form):
    source = forms.ChoiceField(
        label="How they told us", required=False, choices=[("", "Any"), ("PHONE", "By phone")]
    )
    family_name = forms.CharField(label="Family name", required=False)
    preference = forms.ChoiceField(
        label="What has the patient decided?",
        choices=[("YES", "Consents: core only"), ("NO", "Refuses"), ("NONE", "Has not decided")],
        error_messages={"required": "Select what the patient decided"},
    )
    inline = forms.ChoiceField(
        label="Decision for ADEYEMI, Grace, born 12 May 1945",
        choices=[("YES", "Consents"), ("NO", "Refuses")],
        required=False,
    )
    decided_on = DatePartsField(label="Date of decision", latest=TODAY)
    nhs_number = forms.CharField(label="NHS number", error_messages={"required": "Enter an NHS number"})
    note = forms.CharField(label="Note", help_text="Do not repeat the decision", required=False)
    kinds = forms.MultipleChoiceField(
        label="What to print", required=False, choices=[("A", "Letters"), ("B", "Labels")]
    )
    sure = forms.BooleanField(
        label="I have seen the letter", error_messages={"required": "Confirm that you have seen the letter"}
    )
    file = forms.FileField(label="File", help_text="CSV or XLSX, smaller than 5MB", required=False)


def person(**fields):
    given = {
        "title": "Ms",
        "given_name": "Grace",
        "family_name": "Adeyemi",
        "preferred_name": "Gracie",
        "born_on": datetime.date(1945, 5, 12),
        "died_on": None,
        "nhs_number": "9991234567",
        "get_gender_display": lambda: "Female",
    }
    return SimpleNamespace(**given | fields)


def context(request):
    strip = request.GET.get("strip", "on_followed")
    died = person(died_on=datetime.date(2008, 3, 1), preferred_name="")
    names = ["Home", "Patients", "Consent sheet", "Imports", "Reports", "Uploads", "Policy"]
    data = {"decided_on_day": "31", "decided_on_month": "2", "decided_on_year": "2008"}
    return {
        "navigation": [(name, "/", name == "Patients") for name in names],
        "policy_strip": SimpleNamespace(
            state=strip, text=STRIPS[strip], link_text=LINKS.get(strip, ""), link_url="/"
        ),
        "form": Form(data) if "errors" in request.GET else Form(),
        "patient": died if "died" in request.GET else person(),
        "patients": [
            person(),
            person(family_name="Featherstonehaugh-Cholmondeley", given_name="Bartholomew"),
        ],
        "today": TODAY,
        "now": NOW,
        "consent_states": list(ConsentState),
        "upload_states": list(JobState),
    }


@login_not_required
def gallery(request):
    if "flash" in request.GET:
        undo = flash.Action("Undo", "/", {"event": "7"})
        flash.success(
            request, "Consent given recorded for ADEYEMI, Grace. Uploads wait until 2:47pm.", action=undo
        )
    source = (Path(__file__).parent / "gallery.jinja").read_text()
    # Not through the context processors, which would put the real menu and strip in place of ours.
    shown = context(request) | {
        "request": request,
        "user": request.user,
        "messages": get_messages(request),
        "csrf_input": csrf_input_lazy(request),
        "csrf_token": get_token(request),
    }
    return HttpResponse(engines["jinja2"].from_string(source).render(shown))


SWAPS = """{% extends "base.jinja" %}
{% set uses_htmx = true %}
{% block content %}
<h1 class="nhsuk-heading-l">Parts</h1>
<div id="row"><button hx-post="/part/" hx-target="#row">Save</button></div>
<div id="other"><button hx-post="/part/?keep" hx-target="#other" id="again">Save again</button></div>
<div id="third"><button hx-post="/fails/" hx-target="#third">Save in vain</button></div>
{% endblock %}"""


@login_not_required
def swaps(request):
    shown = {"csrf_token": get_token(request)}
    return HttpResponse(engines["jinja2"].from_string(SWAPS).render(shown))


@login_not_required
def part(request):
    if "keep" in request.GET:
        return HttpResponse('<button id="again">Save again</button>')
    return HttpResponse(
        '<p data-care-focus data-care-announce="Consent recorded for ADEYEMI, Grace.">Saved</p>'
        "<script>document.title = 'ran'</script>"
    )


@login_not_required
def fails(request):
    raise RuntimeError


urlpatterns = [
    path("", include("config.account_urls")),
    path("", gallery),
    path("fails/", fails),
    path("swaps/", swaps),
    path("part/", part),
]
handler400 = "config.errors.bad_request"
handler403 = "config.errors.forbidden"
handler404 = "config.errors.not_found"
handler500 = "config.errors.server_error"
