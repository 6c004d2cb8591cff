"""Build PDFs with filled forms and notes, drawn or not, and with words that nobody sees."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence

import pdfs
from pypdf import PdfWriter
from pypdf.generic import ArrayObject, DictionaryObject, FloatObject, NameObject, NumberObject, TextStringObject
from reportlab.lib.pagesizes import A4
from reportlab.pdfgen.canvas import Canvas

Field = DictionaryObject


def text_field(value: str, *box: float, **more: object) -> Field:
    """Return a text field that was filled and not drawn, as programs leave it that set values alone."""
    return _widget("Tx", box, **{"V": TextStringObject(value)} | more)


def tick_box(ticked: bool, *box: float, **more: object) -> Field:
    state = NameObject("/Yes" if ticked else "/Off")
    return _widget("Btn", box, **{"V": state, "AS": state} | more)


def choice(value: str, options: Sequence[tuple[str, str]], *box: float, **more: object) -> Field:
    """Return a drop-down list; of an option the form keeps the first word and shows the second."""
    pairs = ArrayObject(ArrayObject(map(TextStringObject, option)) for option in options)
    return _widget("Ch", box, **{"V": TextStringObject(value), "Opt": pairs, "Ff": NumberObject(1 << 17)} | more)


def note(text: str, *box: float, **more: object) -> Field:
    """Return a note that stands on the page itself."""
    annotation = _annotation("FreeText", box)
    annotation[NameObject("/Contents")] = TextStringObject(text)
    return _with(annotation, more)


def _widget(kind: str, box: Sequence[float], **more: object) -> Field:
    widget = _annotation("Widget", box)
    widget[NameObject("/FT")] = NameObject(f"/{kind}")
    return _with(widget, more)


def _annotation(kind: str, box: Sequence[float]) -> Field:
    entries = {"Type": NameObject("/Annot"), "Subtype": NameObject(f"/{kind}"), "F": NumberObject(4)}
    return _with(DictionaryObject(), entries | {"Rect": ArrayObject(map(FloatObject, box))})


def _with(dictionary: DictionaryObject, more: dict[str, object]) -> DictionaryObject:
    for name, value in more.items():
        dictionary[NameObject(f"/{name}")] = value
    return dictionary


def filled(plain: bytes, *fields: Field, listed: bool = True) -> bytes:
    """Put fields and notes on the first page; a form that does not list them is drawn by viewers all the same."""
    writer = PdfWriter(clone_from=io.BytesIO(plain))
    page = writer.pages[0]
    references = []
    for number, field in enumerate(fields):
        field.setdefault(NameObject("/T"), TextStringObject(f"field{number}"))
        references.append(writer._add_object(field))
    page[NameObject("/Annots")] = ArrayObject(references)
    widgets = [reference for reference in references if reference.get_object()["/Subtype"] == "/Widget"]
    form = {"Fields": ArrayObject(widgets if listed else [])}
    writer._root_object[NameObject("/AcroForm")] = writer._add_object(_with(DictionaryObject(), form))
    return pdfs._bytes(writer)


def drawn(draw: Callable[[Canvas], None], size: tuple[float, float] = A4) -> bytes:
    """Return a page that is drawn by hand."""
    target = io.BytesIO()
    canvas = Canvas(target, pagesize=size, invariant=1)
    canvas.setFont(pdfs.FONT, 12)
    draw(canvas)
    canvas.showPage()
    canvas.save()
    return target.getvalue()


def layered(plain: bytes, name: str, hidden: bool) -> bytes:
    """Make the words of the first page that are marked with this name a layer, shown or hidden."""
    writer = PdfWriter(clone_from=io.BytesIO(plain))
    layer = writer._add_object(_with(DictionaryObject(), {"Type": NameObject("/OCG"), "Name": TextStringObject(name)}))
    writer.pages[0]["/Resources"][NameObject("/Properties")] = _with(DictionaryObject(), {name: layer})
    shown = _with(DictionaryObject(), {"OFF" if hidden else "ON": ArrayObject([layer])})
    layers = _with(DictionaryObject(), {"OCGs": ArrayObject([layer]), "D": shown})
    writer.root_object[NameObject("/OCProperties")] = layers
    target = io.BytesIO()
    writer.write(target)
    return target.getvalue()
