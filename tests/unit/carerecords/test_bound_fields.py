"""The bridge from Django's fields to the design system's components."""

from django import forms

from carerecords.bound_fields import error_list, field_data


class Form(forms.Form):
    preference = forms.ChoiceField(
        label="What has the patient decided?",
        choices=[("YES", "Consents"), ("NO", "Refuses")],
        widget=forms.RadioSelect,
        error_messages={"required": "Select what the patient decided"},
    )
    sources = forms.MultipleChoiceField(choices=[("A", "A"), ("B", "B")], required=False)
    note = forms.CharField(help_text="Up to 1,000 characters", required=False)

    def clean(self):
        if self.data.get("note") == "whole":
            raise forms.ValidationError("This list is over 30 minutes old")


def test_nothing_is_chosen_before_an_answer():
    assert not any(choice.chosen for choice in field_data(Form()["preference"]).choices)


def test_the_answer_is_kept():
    form = Form({"preference": "NO", "sources": ["B"], "note": "x"})
    assert [c.chosen for c in field_data(form["preference"]).choices] == [False, True]
    assert [c.chosen for c in field_data(form["sources"]).choices] == [False, True]
    assert field_data(form["note"]).value == "x"


def test_errors_link_to_the_first_control_of_their_field():
    assert error_list(Form({})) == [{"text": "Select what the patient decided", "href": "#id_preference"}]


def test_an_error_of_the_whole_form_comes_first_and_leads_to_its_first_field():
    told = {"text": "This list is over 30 minutes old", "href": "#id_preference"}
    assert error_list(Form({"note": "whole"}))[0] == told


def test_a_form_without_errors_or_not_sent_has_no_list():
    assert error_list(Form()) == error_list(Form({"preference": "NO"})) == []


def test_prefixed_forms_have_prefixed_ids():
    data = field_data(Form({}, prefix="row1")["preference"])
    assert (data.name, data.focus_id) == ("row1-preference", "id_row1-preference")


def test_a_hint_and_no_error():
    data = field_data(Form()["note"])
    assert (data.hint_param, data.error_param) == ({"text": "Up to 1,000 characters"}, None)
