"""The Jinja2 environment in which every page is drawn."""

from typing import Any

from django.conf import settings
from django.templatetags.static import static
from django.urls import reverse
from django.utils import timezone
from django_htmx.jinja import htmx_script
from jinja2 import ChainableUndefined, ChoiceLoader, Environment, PackageLoader

from boycott.surveys.wilson import per_cent
from carerecords import ages, bound_fields, flash, formats
from carerecords.models import Patient
from config import tags
from spine.uploads.explain import Explanation, explain

SERVICE_NAME = "Care record upload consent"


def environment(**options: Any) -> Environment:
    """Django's options, with the NHS design system's macros beside our own templates.

    Those macros follow chains of missing parameters, so the environment must let them; the class
    is set here since Django's backend does not resolve a dotted name.
    """
    options["undefined"] = ChainableUndefined
    options["loader"] = ChoiceLoader([options["loader"], PackageLoader("nhsuk_frontend_jinja")])
    env = Environment(trim_blocks=True, lstrip_blocks=True, **options)  # noqa: S701 - Django's options escape
    env.globals.update(
        static=static,
        url=_url,
        htmx_script=htmx_script,
        service_name=SERVICE_NAME,
        idle_seconds=settings.SESSION_IDLE_SECONDS,
        read_flash=flash.read,
        field_data=bound_fields.field_data,
        form_errors=bound_fields.error_list,
        age=ages.age,
        plural=formats.plural,
        share=formats.share,
        tag_of=tags.Tag,
        per_cent=per_cent,
        consent_tag_of=tags.consent_tag,
        upload_tag_of=tags.upload_tag,
        upload_state=tags.state_words,
        upload_card=_upload_card,
    )
    env.filters.update(
        nhs_number=formats.nhs_number,
        patient_name=formats.patient_name,
        banner_date=formats.banner_date,
        nhs_date=formats.nhs_date,
        nhs_time=formats.nhs_time,
        nhs_datetime=formats.nhs_datetime,
        audit_time=formats.audit_time,
        commas=formats.count,
        or_not_known=formats.text_or_not_known,
    )
    return env


def _upload_card(patient: Patient) -> Explanation:
    """Why a patient's record goes or not, for the consent pages, which may not import the gate."""
    return explain(patient, timezone.now())


def _url(name: str, *args: Any, **kwargs: Any) -> str:
    """`{{ url("carerecords:patient", patient.public_id) }}`."""
    return reverse(name, args=args, kwargs=kwargs)
