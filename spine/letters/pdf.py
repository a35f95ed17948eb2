"""Draws letters as one PDF that a screen reader can follow: text, tags, title and language.

reportlab lays the pages out and leaves the tags of PDF (ISO 32000-1, 14.7 and 14.8) to its callers:
each paragraph here stands between marks that its element in the document's structure names.
"""

from collections.abc import Iterator, Sequence
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from reportlab.lib.enums import TA_RIGHT
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.pdfdoc import PDFArray, PDFDictionary, PDFName, PDFString, PDFtrue
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import PageBreak, Paragraph, SimpleDocTemplate

from spine.letters.words import Letter

TITLE = "Your Summary Care Record"
FONTS = Path(__file__).parent / "fonts"
TEXT, BOLD = "LetterText", "LetterBold"


@cache
def _styles() -> dict[str, ParagraphStyle]:
    """The fonts are read once a process: they come with the product, and nothing is fetched."""
    pdfmetrics.registerFont(TTFont(TEXT, str(FONTS / "DejaVuSans.ttf")))
    pdfmetrics.registerFont(TTFont(BOLD, str(FONTS / "DejaVuSans-Bold.ttf")))
    text = ParagraphStyle("text", fontName=TEXT, fontSize=11, leading=16.5, spaceAfter=7)
    return {
        "P": text,
        "line": ParagraphStyle("line", text, spaceAfter=0),
        "sender": ParagraphStyle("sender", text, spaceAfter=0, alignment=TA_RIGHT),
        "date": ParagraphStyle("date", text, spaceBefore=14, spaceAfter=14),
        "LI": ParagraphStyle("LI", text, leftIndent=16, bulletIndent=3, spaceAfter=3),
        "H1": ParagraphStyle("H1", fontName=BOLD, fontSize=17, leading=22, spaceBefore=6, spaceAfter=8),
        "H2": ParagraphStyle(
            "H2", fontName=BOLD, fontSize=12.5, leading=17, spaceBefore=9, spaceAfter=4, keepWithNext=1
        ),
    }


def letters_pdf(letters: Sequence[Letter]) -> bytes:
    """One document, each letter on a page of its own."""
    out = BytesIO()
    document = SimpleDocTemplate(
        out,
        pagesize=A4,
        leftMargin=25 * mm,
        rightMargin=25 * mm,
        topMargin=20 * mm,
        bottomMargin=20 * mm,
        title=TITLE,
        author=letters[0].sender[0] if letters else "",
        subject="What you chose, what is sent, and how to change your mind",
        lang="en-GB",
        initialFontName=TEXT,
    )
    story = [flowable for number, letter in enumerate(letters) for flowable in _story(letter, number)]
    document.build(story, canvasmaker=_TaggedCanvas)
    return out.getvalue()


def _story(letter: Letter, number: int) -> Iterator[Any]:
    if number:
        yield PageBreak()
    for line in letter.sender:
        yield _Tagged(line, "sender")
    for line in letter.to:
        yield _Tagged(line, "line")
    yield _Tagged(letter.date, "date")
    yield _Tagged(letter.greeting, "P")
    yield _Tagged(letter.heading, "H1")
    for part in letter.parts:
        yield _Tagged(part.heading, "H2")
        for paragraph in part.paragraphs:
            yield _Tagged(paragraph, "P")
        for point in part.points:
            yield _Tagged(point, "LI")
    for line in letter.ending:
        yield _Tagged(line, "P")


class _Tagged(Paragraph):
    """A paragraph between the marks of its tag."""

    def __init__(self, text: str, style: str) -> None:
        bullet = "•" if style == "LI" else None
        super().__init__(escape(text), _styles()[style], bulletText=bullet)
        self.tag = style if style in {"H1", "H2", "LI"} else "P"

    def split(self, width: float, height: float) -> list[Any]:
        """Never within a paragraph, so that each is marked once; all are a few lines."""
        return []

    def draw(self) -> None:
        canvas: _TaggedCanvas = self.canv
        canvas.begin_mark(self.tag)
        super().draw()
        canvas.end_mark()


class _TaggedCanvas(Canvas):
    """Counts the marks of each page, and writes the structure that names them in their order."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.marks: list[list[str]] = [[]]
        self._doc.Catalog.MarkInfo = PDFDictionary({"Marked": PDFtrue})
        self._doc.Catalog.ViewerPreferences = PDFDictionary({"DisplayDocTitle": PDFtrue})

    def begin_mark(self, tag: str) -> None:
        self._code.append(f"/{tag} <</MCID {len(self.marks[-1])}>> BDC")
        self.marks[-1].append(tag)

    def end_mark(self) -> None:
        self._code.append("EMC")

    def showPage(self) -> None:
        super().showPage()
        self.marks.append([])

    def save(self) -> None:
        if self._code:
            self.showPage()
        self._write_structure()
        super().save()

    def _write_structure(self) -> None:
        doc = self._doc
        root, whole = PDFDictionary({"Type": PDFName("StructTreeRoot")}), PDFDictionary({})
        root_reference, whole_reference = doc.Reference(root), doc.Reference(whole)
        kids, numbers = [], []
        for index, (page, tags) in enumerate(zip(doc.Pages.pages, self.marks, strict=False)):
            page_reference = doc.Reference(page)
            mine = [
                doc.Reference(_element(tag, mcid, page_reference, whole_reference))
                for mcid, tag in enumerate(tags)
            ]
            # An entry that reportlab does not know of by itself.
            page.__NoDefault__ = [*page.__NoDefault__, "StructParents", "Tabs"]
            page.StructParents, page.Tabs = index, PDFName("S")
            kids += mine
            numbers += [index, PDFArray(mine)]
        whole.dict.update(
            {
                "Type": PDFName("StructElem"),
                "S": PDFName("Document"),
                "P": root_reference,
                "K": PDFArray(kids),
            }
        )
        root.dict.update({"K": whole_reference, "ParentTree": PDFDictionary({"Nums": PDFArray(numbers)})})
        doc.Catalog.StructTreeRoot = root_reference


def _element(tag: str, mcid: int, page: Any, parent: Any) -> PDFDictionary:
    return PDFDictionary(
        {
            "Type": PDFName("StructElem"),
            "S": PDFName(tag),
            "P": parent,
            "Pg": page,
            "K": mcid,
            "Lang": PDFString("en-GB"),
        }
    )
