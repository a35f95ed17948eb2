"""What silence means for the nation: what holds, what is proposed and what it would do, and the history."""

import datetime

from django import forms
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from carerecords import flash
from carerecords.access import check, requires
from carerecords.middleware import CareRequest
from carerecords.permissions import Permission
from consent import national_model, snomed
from consent.codes import ConsentModel
from consent.models import ConsentModelProposal
from consent.national_model import ModelRefused
from spine.policy.impact import uploads_allowed_under


class ProposalForm(forms.Form):
    """The rule asked for, and why."""

    model = forms.ChoiceField(
        label="What counts as consent?",
        choices=ConsentModel.choices(),
        widget=forms.RadioSelect,
        error_messages={"required": "Select what counts as consent"},
    )
    letter_weeks = forms.IntegerField(
        label="Weeks after the letter before silence counts",
        help_text="Used only where silence counts. The programme used 12.",
        initial=12,
        error_messages={
            "required": "Enter a number of weeks",
            "invalid": "Weeks must be a whole number between 1 and 104",
        },
    )
    reason = forms.CharField(
        label="Reason",
        help_text="Between 20 and 1,000 characters. Everybody sees it. Name no patient.",
        widget=forms.Textarea,
        error_messages={"required": "Enter a reason"},
    )


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Permission.SEE_POLICY)
def consent_model(request: CareRequest) -> HttpResponse:
    """Everybody sees it; one national admin proposes, another approves."""
    if request.method != "POST":
        return _page(request)
    check(request, Permission.CHANGE_CONSENT_MODEL)
    return _approve(request) if request.POST.get("do") == "approve" else _propose(request)


def _propose(request: CareRequest) -> HttpResponse:
    form = ProposalForm(request.POST)
    if form.is_valid():
        values = form.cleaned_data
        try:
            national_model.propose(
                model=ConsentModel(values["model"]),
                letter_weeks=values["letter_weeks"],
                reason=values["reason"],
                by=request.user,
                at=timezone.now(),
            )
        except ModelRefused as refusal:
            form.add_error(refusal.field or None, str(refusal))
        else:
            flash.success(request, "Your proposal is kept. Another national admin has to approve it.")
            return redirect("spine:consent_model")
    return _page(request, form)


def _approve(request: CareRequest) -> HttpResponse:
    at = timezone.now()
    proposal = national_model.open_proposal(at)
    try:
        if proposal is None or str(proposal.public_id) != request.POST.get("proposal"):
            raise ModelRefused("", "This proposal is no longer open. Look at the newest one")
        silence = national_model.approve(proposal=proposal, by=request.user, at=at)
    except ModelRefused as refusal:
        flash.notice(request, f"{refusal}.")
    else:
        flash.success(request, f"{ConsentModel(proposal.model).label} from today. {silence.sentence}")
    return redirect("spine:consent_model")


def _page(request: CareRequest, form: ProposalForm | None = None) -> HttpResponse:
    at = timezone.now()
    standing, proposal = national_model.in_force(timezone.localdate(at)), national_model.open_proposal(at)
    may_change = request.can(Permission.CHANGE_CONSENT_MODEL)
    context = {
        "standing": standing,
        "now": _words(ConsentModel(standing.model) if standing else ConsentModel.EXPLICIT),
        "proposal": proposal,
        "proposed": _words(ConsentModel(proposal.model)) if proposal else "",
        "effect": _effect(proposal, at) if proposal and may_change else None,
        "may_change": may_change,
        "may_approve": may_change and proposal is not None and proposal.made_by_id != request.user.pk,
        "form": (form or ProposalForm()) if may_change else None,
        "history": [(one, _words(ConsentModel(one.model))) for one in national_model.history()],
        "codes": snomed.codes(),
        "at": at,
    }
    return render(request, "spine/consent_model.jinja", context)


def _effect(proposal: ConsentModelProposal, at: datetime.datetime) -> tuple[int, int]:
    """Patients who may be uploaded as things are, and as they would be: by the gate, counted."""
    now = uploads_allowed_under(at)
    then = uploads_allowed_under(at, model=ConsentModel(proposal.model), letter_weeks=proposal.letter_weeks)
    return now, then


def _words(model: ConsentModel) -> str:
    return {
        ConsentModel.EXPLICIT: "Only patients who said yes are uploaded.",
        ConsentModel.IMPLIED_CORE: (
            "Patients who were written to and did not object are uploaded: "
            "medication, allergies and adverse reactions."
        ),
        ConsentModel.IMPLIED_CORE_AND_ADDITIONAL: (
            "Patients who were written to and did not object are uploaded, with additional information."
        ),
    }[model]
