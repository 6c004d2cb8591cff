"""What was filled into a form, and notes on the page, are read at their places, drawn or not."""

from __future__ import annotations

import io

import forms
import pdfs
import pytest
from pypdf import PdfWriter
from pypdf.generic import ArrayObject, NameObject, NumberObject, TextStringObject
from reportlab.pdfgen.canvas import Canvas

from rag_core.datatypes import ChunkSettings
from rag_core.errors import PasswordNeeded
from rag_core.reading import extract, sandbox

FORM_EN = ["Application for a mooring", "Name:", "Boat:", "Length in metres:", "Signed in the harbour office."]
FORM_ZH = ["泊位申请表", "姓名：", "船名：", "长度（米）：", "在港务局签字。"]
ROWS = (762, 744, 726)
"""Where the lines of the labels stand."""


def only(data: bytes):
    [reading] = extract.read(data)
    return reading


def lines(data: bytes) -> list[str]:
    """Return the lines of a page, on which both extractors agree but for the spaces."""
    reading = only(data)
    assert len({"".join(read.text.split()) for read in reading.extracts.values()}) == 1
    assert reading.chosen.quality.verdict == "good"
    return reading.chosen.text.split("\n")


def beside(*values: str) -> list[forms.Field]:
    return [forms.text_field(value, 200, y - 4, 400, y + 12) for value, y in zip(values, ROWS, strict=True)]


@pytest.mark.parametrize("listed", [True, False])
@pytest.mark.parametrize(
    ("form", "values", "read"),
    [
        (FORM_EN, ("Ann Example", "Sea Otter", "7.5"), ["Name: [Ann Example]", "Boat: [Sea Otter]", "[7.5]"]),
        (FORM_ZH, ("张小海", "海獭号", "7.5"), ["姓名：[张小海]", "船名：[海獭号]", "[7.5]"]),
        (FORM_EN, ("张小海", "海獭号", "7.5"), ["Name: [张小海]", "Boat: [海獭号]", "[7.5]"]),
    ],
)
def test_values_stand_behind_their_labels(form, values, read, listed):
    text = "\n".join(lines(forms.filled(pdfs.text_pdf(form), *beside(*values), listed=listed)))
    for line in read:
        assert line in text
    assert text.index(read[2]) < text.index(form[4][:4])
    assert "fields" in only(forms.filled(pdfs.text_pdf(form), *beside(*values))).chosen.quality.reasons


def test_fields_that_were_drawn_are_read_alike():
    def draw(canvas: Canvas) -> None:
        for text, y in zip(FORM_EN, (780, 760, 740, 720, 700), strict=True):
            canvas.drawString(60, y, text)
        canvas.acroForm.textfield(value="Ann Example", x=200, y=757, width=200, height=16, fontSize=10)
        canvas.acroForm.checkbox(checked=True, x=200, y=738, size=12)

    text = "\n".join(lines(forms.drawn(draw)))
    assert "Name: [Ann Example]" in text
    assert "Boat: [x]" in text


def test_values_stand_under_labels_that_stand_above_them():
    def draw(canvas: Canvas) -> None:
        canvas.drawString(60, 780, "Membership of the rowing club, to be returned before the first of May.")
        canvas.drawString(60, 750, "Full name")
        canvas.drawString(300, 750, "Telephone")
        canvas.drawString(60, 700, "Town")

    fields = [
        forms.text_field("555 0199", 300, 726, 450, 744),
        forms.text_field("Rosa Lind", 60, 726, 250, 744),
        forms.text_field("Tromsø", 60, 676, 250, 694),
    ]
    text = "\n".join(lines(forms.filled(forms.drawn(draw), *fields)))
    assert "Full name [Rosa Lind]" in text
    assert "Telephone [555 0199]" in text
    assert text.endswith("Town [Tromsø]")


@pytest.mark.parametrize(
    ("question", "options", "read"),
    [
        ("Delivery:", ("by post", "by tram"), "Delivery: [ ] by post [x] by tram"),
        ("配送方式：", ("邮寄", "电车"), "配送方式： [ ] 邮寄 [x] 电车"),
    ],
)
def test_boxes_stand_before_their_words(question, options, read):
    def draw(canvas: Canvas) -> None:
        canvas.drawString(60, 760, question)
        canvas.drawString(180, 760, options[0])
        canvas.drawString(300, 760, options[1])

    fields = [forms.tick_box(False, 164, 758, 176, 770), forms.tick_box(True, 284, 758, 296, 770)]
    assert "".join("".join(lines(forms.filled(forms.drawn(draw), *fields))).split()) == read.replace(" ", "")


def test_a_radio_button_is_ticked_by_its_own_state():
    group = forms.tick_box(True, 0, 0, 0, 0, Ff=NumberObject(1 << 15))
    buttons = [forms.tick_box(ticked, x, 758, x + 12, 770) for ticked, x in ((True, 164), (False, 284))]
    for button in buttons:
        button.pop("/FT"), button.pop("/V"), button.__setitem__(NameObject("/Parent"), group)

    def draw(canvas: Canvas) -> None:
        canvas.drawString(180, 760, "single")
        canvas.drawString(300, 760, "married")

    assert " ".join(lines(forms.filled(forms.drawn(draw), *buttons))) == "[x] single\t[ ] married"


@pytest.mark.parametrize(
    ("label", "options", "read"),
    [
        ("Berth:", (("n", "north quay"), ("s", "south quay")), "Berth: [south quay]"),
        ("泊位：", (("n", "北码头"), ("s", "南码头")), "泊位：[南码头]"),
    ],
)
def test_of_a_choice_its_words_are_read(label, options, read):
    field = forms.choice("s", options, 200, 776, 300, 792)
    assert lines(forms.filled(pdfs.text_pdf([label]), field)) == [read]


def test_a_value_that_its_parent_holds_is_read():
    parent = forms.text_field("Ann Example", 0, 0, 0, 0)
    widget = forms.text_field("", 200, 776, 300, 792)
    widget.pop("/V"), widget.pop("/FT"), widget.pop("/T", None)
    data = forms.filled(pdfs.text_pdf(["Name:"]), widget)
    writer = PdfWriter(clone_from=io.BytesIO(data))
    [reference] = writer.pages[0]["/Annots"]
    top = writer._add_object(parent)
    reference.get_object()[NameObject("/Parent")] = top
    parent[NameObject("/T")] = TextStringObject("name")
    parent[NameObject("/Kids")] = ArrayObject([reference])
    reference.get_object().pop("/T", None)
    writer._root_object["/AcroForm"][NameObject("/Fields")] = ArrayObject([top])
    assert lines(pdfs._bytes(writer)) == ["Name: [Ann Example]"]


def test_a_value_of_several_lines_stays_one():
    field = forms.text_field("Bring two oars\nand a lifebelt", 200, 700, 500, 792)
    assert lines(forms.filled(pdfs.text_pdf(["Remarks:"]), field)) == ["Remarks: [Bring two oars and a lifebelt]"]
    field = forms.text_field("请携带两支桨\n和一个救生圈", 200, 700, 500, 792)
    assert lines(forms.filled(pdfs.text_pdf(["备注："]), field)) == ["备注：[请携带两支桨和一个救生圈]"]


def test_cells_of_a_row_stay_on_their_row():
    def draw(canvas: Canvas) -> None:
        for label, y in (("Trams", 760), ("Buses", 740)):
            canvas.drawString(60, y, label)

    cells = [("1,200", 200, 758), ("1,350", 300, 758), ("980", 200, 738), ("1,010", 300, 738)]
    fields = [forms.text_field(value, x, y, x + 80, y + 14) for value, x, y in cells]
    assert lines(forms.filled(forms.drawn(draw), *fields)) == ["Trams [1,200] [1,350]", "Buses [980] [1,010]"]


@pytest.mark.parametrize(
    "field",
    [
        forms.text_field("", 200, 776, 300, 792),
        forms.text_field("open sesame", 200, 776, 300, 792, Ff=NumberObject(1 << 13)),
        forms.text_field("not shown", 200, 776, 300, 792, F=NumberObject(2)),
        forms.text_field("not viewed", 200, 776, 300, 792, F=NumberObject(32)),
        forms._widget("Btn", (200, 776, 300, 792), Ff=NumberObject(1 << 16), V=TextStringObject("press")),
        forms.note("", 200, 776, 300, 792),
    ],
    ids=["empty", "password", "hidden", "no view", "button", "empty note"],
)
def test_what_shows_no_words_gives_none(field):
    assert lines(forms.filled(pdfs.text_pdf(["Name:"]), field)) == ["Name:"]


def test_a_form_that_was_printed_into_the_page_is_not_read_twice():
    def draw(canvas: Canvas) -> None:
        canvas.drawString(60, 780, "Name:")
        canvas.drawString(202, 780, "Ann Example")

    data = forms.filled(forms.drawn(draw), forms.text_field("Ann Example", 200, 776, 300, 792))
    assert "".join(lines(data)).count("Ann Example") == 1


def test_a_scanned_form_is_still_a_picture_and_its_values_are_read():
    data = forms.filled(pdfs.image_pdf(), forms.text_field("Ann Example of the northern quay", 200, 776, 300, 792))
    reading = only(data)
    assert reading.chosen.text == "[Ann Example of the northern quay]"
    assert reading.chosen.quality.reasons == ("image_only", "fields")


def test_a_form_of_nothing_else_is_no_blank_page():
    reading = only(forms.filled(pdfs.text_pdf([]), forms.text_field("Ann Example", 200, 776, 300, 792)))
    assert (reading.chosen.text, reading.chosen.quality.reasons) == ("[Ann Example]", ("fields",))


@pytest.mark.parametrize(
    ("text", "before", "after"),
    [
        ("Paid in cash,\nno receipt", "The harbour is dredged each spring.", "Ice closes it in January."),
        ("已付现金", "港口每年春天疏浚。", "一月封冻。"),
    ],
)
def test_a_note_stands_as_a_line_of_its_own_below_the_words_beside_it(text, before, after):
    data = forms.filled(pdfs.text_pdf([before], []), forms.note(text, 400, 776, 500, 792))
    assert lines_of_first(data) == [before, f"[* {text}]".replace("\n", " ")]
    data = forms.filled(pdfs.text_pdf([before, "", "", after]), forms.note(text, 60, 744, 300, 770))
    assert lines_of_first(data) == [before, f"[* {text}]".replace("\n", " "), after]
    assert "notes" in extract.read(data)[0].chosen.quality.reasons


def lines_of_first(data: bytes) -> list[str]:
    return extract.read(data)[0].chosen.text.split("\n")


@pytest.mark.parametrize("turn", [90, 180, 270])
def test_a_page_that_is_shown_turned_has_its_values_at_the_same_places(turn):
    writer = PdfWriter(clone_from=io.BytesIO(forms.filled(pdfs.text_pdf(FORM_EN), *beside("Ann", "Otter", "7.5"))))
    writer.pages[0].rotate(turn)
    assert "Boat: [Otter]" in only(pdfs._bytes(writer)).chosen.text


def test_lines_that_run_upwards_have_their_values_behind_them():
    def draw(canvas: Canvas) -> None:
        canvas.rotate(90)
        for text, x in zip(FORM_EN, (100, 120, 140, 160, 180), strict=True):
            canvas.drawString(60, -x, text)

    fields = [forms.text_field("Ann", 108, 200, 122, 300), forms.text_field("Otter", 128, 200, 142, 300)]
    writer = PdfWriter(clone_from=io.BytesIO(forms.filled(forms.drawn(draw), *fields)))
    writer.pages[0].rotate(90)
    text = only(pdfs._bytes(writer)).chosen.text
    assert "Name: [Ann]" in text
    assert "Boat: [Otter]" in text


def test_an_encrypted_form_is_read_with_its_password():
    data = pdfs.encrypted_pdf(forms.filled(pdfs.text_pdf(FORM_ZH), *beside("张小海", "海獭号", "7.5")), "secret")
    with pytest.raises(PasswordNeeded):
        extract.read(data)
    [reading] = extract.read(data, "secret")
    assert "姓名：[张小海]" in reading.chosen.text


def test_values_and_marks_are_searched_and_drawn(lab):
    data = forms.filled(pdfs.text_pdf(FORM_EN), *beside("Ann Example", "Sea Otter", "7.5"))
    document = lab.add(data, "form.pdf")
    assert any("[Sea Otter]" in piece.text for piece in lab.cut(document.id, ChunkSettings("sentence")))
    plain = sandbox.draw_page(pdfs.text_pdf(FORM_EN), 1)[0]
    assert sandbox.draw_page(data, 1)[0] != plain


@pytest.mark.parametrize(
    ("labels", "notes"),
    [
        (["Delivery note", "Received by", "State:"], ("Leo Nyberg", "two crates wet")),
        (["送货单", "收货人", "备注："], ("聂立行", "有两箱受潮")),
    ],
)
def test_notes_that_fill_in_a_form_stand_behind_its_labels(labels, notes):
    fields = [forms.note(text, 200, y - 4, 400, y + 12) for text, y in zip(notes, ROWS, strict=False)]
    text = lines(forms.filled(pdfs.text_pdf(labels), *fields))
    assert [line.replace(" ", "") for line in text[1:]] == [
        f"{label}[*{note}]".replace(" ", "") for label, note in zip(labels[1:], notes, strict=True)
    ]


def test_a_remark_beside_a_sentence_stays_a_line_of_its_own():
    data = pdfs.text_pdf(["The ferry did not run.", "It was mended in May."])
    assert "The ferry did not run.\n[* check]" in "\n".join(
        lines(forms.filled(data, forms.note("check", 300, 776, 400, 792)))
    )


def test_a_label_is_whole_though_some_of_its_letters_reach_down_to_the_field():
    data = forms.drawn(lambda canvas: canvas.drawString(60, 750, "What happened"))
    value = forms.text_field("The pump runs all night.", 60, 640, 480, 740, Ff=NumberObject(1 << 12))
    assert "What happened [The pump runs all night.]" in "\n".join(lines(forms.filled(data, value)))
