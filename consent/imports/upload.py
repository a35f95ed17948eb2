"""The file of a form, as far as it is taken: what is too large is let run by and never stored."""

from typing import Any

from django import forms
from django.core.files.uploadhandler import FileUploadHandler, SkipFile
from django.http import HttpRequest

from consent.codes import ImportKind
from consent.imports.files import BY_BROWSER, EMPTY

TOO_LARGE = "The selected file must be smaller than 5MB"
# An import of so many rows is checked, and applied, while the page waits: a second at most.
AT_ONCE = 2000


class SizeLimit(FileUploadHandler):
    """Stops storing a file that passes the limit. `exceeded` says that one did."""

    chunk_size = 64 * 1024

    def __init__(self, request: HttpRequest) -> None:
        super().__init__(request)
        self.taken, self.exceeded = 0, False

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes:
        self.taken += len(raw_data)
        if BY_BROWSER.largest is not None and self.taken > BY_BROWSER.largest:
            self.exceeded = True
            raise SkipFile
        return raw_data

    def file_complete(self, file_size: int) -> None:
        """The handlers after this one hold the file."""
        return


class UploadForm(forms.Form):
    """What the file holds, and the file."""

    kind = forms.ChoiceField(
        label="What do you want to import?",
        choices=ImportKind.choices(),
        widget=forms.RadioSelect,
        error_messages={
            "required": "Select what you want to import",
            "invalid_choice": "Select what you want to import",
        },
    )
    file = forms.FileField(
        label="Select a file",
        help_text="CSV or XLSX, smaller than 5MB, with up to 20,000 rows",
        error_messages={
            "required": "Select a CSV or XLSX file",
            "invalid": "Select a CSV or XLSX file",
            "missing": "Select a CSV or XLSX file",
            "empty": EMPTY,
        },
    )

    def __init__(self, *args: Any, too_large: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if too_large:
            self.fields["file"].error_messages["required"] = TOO_LARGE

    @property
    def chosen(self) -> ImportKind:
        """The kind, once the form is valid."""
        return ImportKind(self.cleaned_data["kind"])
