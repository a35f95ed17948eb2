"""The checks on the sections of a GP Summary: heading code, title, and text that is well-formed XHTML.

Source: Java `CompositionMapper.setPresentation`, which reads code, title and text.div of every section
and parses the text as XML. Texts are ours where the service would end in a null pointer.
"""

from __future__ import annotations

from xml.parsers import expat

from spine.localstore.fhir_json import Resource, child, first, objects, text
from spine.localstore.outcomes import bad_value


def check_sections(composition: Resource) -> None:
    """Raise the 400 unless every section has a code, a title and a readable text."""
    sections = objects(composition.get("section"))
    if not sections:
        raise bad_value("Missing mandatory Composition.section")
    for section in sections:
        if not text(first(child(section, "code"), "coding"), "code"):
            raise bad_value("Composition.section.code.coding.code element is missing")
        if not text(section, "title"):
            raise bad_value("Composition.section.title element is missing")
        _check_narrative(text(child(section, "text"), "div"))


def _check_narrative(div: str) -> None:
    if not div:
        raise bad_value("Composition.section.text.div element is missing")
    roots: list[str] = []
    parser = expat.ParserCreate()

    def on_root(name: str, _attributes: object) -> None:
        roots.append(name)
        parser.StartElementHandler = None  # calling back for every element would triple the cost

    # HTML's named characters (&nbsp;) are allowed in FHIR narrative; a document type, which could
    # declare entities that multiply, is not.
    parser.UseForeignDTD(True)
    parser.ExternalEntityRefHandler = lambda *_: 1
    parser.StartDoctypeDeclHandler = _refuse_document_type
    parser.StartElementHandler = on_root
    try:
        parser.Parse(div.encode("utf-8", "replace"), True)
    except (expat.ExpatError, _DocumentType) as error:
        raise bad_value("Composition.section.text.div is not well-formed XHTML") from error
    if roots != ["div"]:
        raise bad_value("Composition.section.text.div must be one div element")


class _DocumentType(Exception):
    """The text declares a document type."""


def _refuse_document_type(_name: str, _system: str | None, _public: str | None, internal: int) -> None:
    if internal or _system or _public:
        raise _DocumentType
