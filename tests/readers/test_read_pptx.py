"""PPTX: slides as pages, titles as paths, notes, lists, tables, diagrams and charts."""

from datetime import UTC, datetime

import pptx
from lxml import etree
from pptx.chart.data import CategoryChartData
from pptx.enum.chart import XL_CHART_TYPE
from pptx.util import Inches

from rag.readers import ReadOptions, read_bytes
from rag.types import Document
from tests.files import Slide, make_pptx, rezip, save_pptx


def read(data: bytes) -> Document:
    (document,) = read_bytes(data, "decks/a.pptx").documents
    return document


def error(data: bytes, options: ReadOptions | None = None) -> str:
    result = read_bytes(data, "a.pptx", options or ReadOptions())
    assert result.documents == ()
    (failure,) = result.failures
    return failure.error


def shown(document: Document) -> list[tuple[str, int | None, tuple[str, ...], str]]:
    return [(b.kind, b.page, b.path, document.text[b.start : b.end]) for b in document.blocks]


def test_a_slide_is_a_page_under_its_title_and_its_notes_follow() -> None:
    deck = make_pptx(
        [
            Slide("The plan", text="Why we are here."),
            Slide(
                "Costs", ["one", " two", "three"], table=[["Item", "Price"], ["Foo", "3\nnet"]], notes="Slow."
            ),
        ]
    )
    assert shown(read(deck)) == [
        ("heading", 1, ("The plan",), "The plan"),
        ("prose", 1, ("The plan",), "Why we are here."),
        ("heading", 2, ("Costs",), "Costs"),
        ("list", 2, ("Costs",), "- one\n  - two\n- three"),
        ("table", 2, ("Costs",), "Item | Price\nFoo | 3 net"),
        ("prose", 2, ("Costs", "Notes"), "Slow."),
    ]


def test_properties_are_metadata_and_the_title_comes_first_from_them() -> None:
    moment = datetime(2026, 5, 1, 10, tzinfo=UTC)
    document = read(make_pptx([Slide("Hello")], title="Declared", author="A. Author", modified=moment))
    assert document.title == "Declared"
    assert dict(document.metadata) == {"author": "A. Author", "modified": 1_777_629_600, "type": "pptx"}


def test_the_title_is_else_that_of_the_first_slide_else_the_file() -> None:
    assert (
        read(make_pptx([Slide("First"), Slide("Second")], title="PowerPoint Presentation")).title == "First"
    )
    assert read(make_pptx([Slide(text="Words alone")])).title == "a"


def test_a_single_item_is_no_list_and_a_title_of_two_lines_is_one() -> None:
    document = read(make_pptx([Slide("Two\vlines", ["only this"])]))
    assert shown(document) == [
        ("heading", 1, ("Two lines",), "Two lines"),
        ("prose", 1, ("Two lines",), "only this"),
    ]


def test_hidden_slides_are_left_out_and_the_others_keep_their_numbers() -> None:
    document = read(make_pptx([Slide("One"), Slide("Secret", hidden=True), Slide("Three")]))
    assert [(page, text) for _, page, _, text in shown(document)] == [(1, "One"), (3, "Three")]


def test_a_deck_of_pictures_says_so() -> None:
    sentence = "The slides hold only pictures, and no text. Run text recognition (OCR) on them first."
    assert error(make_pptx([Slide(picture=True), Slide(picture=True)])) == sentence
    assert error(make_pptx([Slide()])) == "The presentation has no text in it."
    assert error(make_pptx([])) == "The presentation has no text in it."


def test_pictures_beside_text_are_passed_over() -> None:
    assert read(make_pptx([Slide(picture=True), Slide("Words", picture=True)])).text == "Words"


def test_shapes_in_groups_and_the_values_of_charts_are_read() -> None:
    file = pptx.Presentation()
    slide = file.slides.add_slide(file.slide_layouts[6])
    inner = slide.shapes.add_group_shape().shapes.add_group_shape()
    inner.shapes.add_textbox(0, 0, 1, 1).text_frame.text = "deep inside"
    data = CategoryChartData()
    data.categories = ["Q1", "Q2"]
    data.add_series("Sales", (1.5, 2))
    chart = slide.shapes.add_chart(XL_CHART_TYPE.LINE, 0, 0, Inches(2), Inches(2), data).chart
    chart.has_title = True
    chart.chart_title.text_frame.text = "Sales by quarter"
    assert [text for _, _, _, text in shown(read(save_pptx(file)))] == [
        "deep inside",
        "Sales by quarter",
        "| Sales\nQ1 | 1.5\nQ2 | 2",
    ]


def test_numbers_dates_and_footers_of_the_layout_are_left_out() -> None:
    file = pptx.Presentation()
    slide = file.slides.add_slide(file.slide_layouts[5])
    slide.shapes.title.text = "Kept"
    box = slide.shapes.add_textbox(0, 0, 1, 1)
    box.text_frame.text = "page 7"
    etree.SubElement(box._element.nvSpPr.nvPr, pptx.oxml.ns.qn("p:ph"), type="sldNum")
    assert read(save_pptx(file)).text == "Kept"


def test_what_an_older_program_would_show_instead_is_not_read_twice() -> None:
    file = pptx.Presentation()
    slide = file.slides.add_slide(file.slide_layouts[6])
    box = slide.shapes.add_textbox(0, 0, 1, 1)
    box.text_frame.text = "E = mc²"
    markup = "http://schemas.openxmlformats.org/markup-compatibility/2006"
    choices = etree.SubElement(slide.shapes._spTree, f"{{{markup}}}AlternateContent")
    fallback = etree.fromstring(etree.tostring(box._element))
    choice = etree.SubElement(choices, f"{{{markup}}}Choice")
    choice.append(box._element)
    etree.SubElement(choices, f"{{{markup}}}Fallback").append(fallback)
    assert read(save_pptx(file)).text == "E = mc²"


def test_a_bomb_is_refused_by_what_it_unpacks_to() -> None:
    data = rezip(make_pptx([Slide("x")]), {"ppt/media/image1.png": b" " * 5_000_000})
    assert len(data) < 100_000
    assert error(data, ReadOptions(max_bytes=1_000_000)).startswith("The presentation unpacks to 5,")


def test_broken_xml_and_entities_are_no_way_in() -> None:
    bomb = b'<!DOCTYPE x [<!ENTITY a "aaaa">]><p:sld xmlns:p="p">&a;</p:sld>'
    for xml in (b"<p:sld", bomb):
        data = rezip(make_pptx([Slide("x")]), {"ppt/slides/slide1.xml": xml})
        assert error(data) == "The presentation is damaged or cut short and could not be read."
