"""Files made for tests: real PDFs, Office files, books, e-mails and archives, from a few lines of Python."""

from __future__ import annotations

import csv
import io
import json
import textwrap
import warnings
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from xml.sax.saxutils import escape

import docx
import openpyxl
import pptx
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from pptx.util import Inches
from pypdf import PdfReader, PdfWriter

PDF_LINES = 54
"""Lines of 12 points that fit on a page of :func:`make_pdf`."""


def make_pdf(
    pages: Sequence[str],
    *,
    title: str | None = None,
    author: str | None = None,
    created: str | None = None,
    bookmarks: Sequence[tuple[int, str]] = (),
    password: str | None = None,
    wrap: int = 90,
) -> bytes:
    """A PDF with one page for each text, in Helvetica; characters of Windows-1252 only.

    Lines longer than ``wrap`` are wrapped. ``created`` is a PDF date (``D:20260501100000Z``),
    ``bookmarks`` are (page from 1, title), ``password`` encrypts it (an empty one: for owners
    only, so that anybody can open it).
    """
    font = len(pages) * 2 + 3
    objects: list[bytes] = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Count %d /Kids [%s] >>"
        % (len(pages), b" ".join(b"%d 0 R" % (3 + 2 * n) for n in range(len(pages)))),
    ]
    for n, text in enumerate(pages):
        content = _pdf_content(text, wrap)
        objects.append(
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents %d 0 R "
            b"/Resources << /Font << /F1 %d 0 R >> >> >>" % (4 + 2 * n, font)
        )
        objects.append(b"<< /Length %d >>\nstream\n%s\nendstream" % (len(content), content))
    objects.append(b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>")
    info = {"Title": title, "Author": author, "CreationDate": created}
    objects.append(
        b"<< %s >>" % b" ".join(b"/%s %s" % (k.encode(), _pdf_string(v)) for k, v in info.items() if v)
    )
    data = _pdf_file(objects)
    if not bookmarks and password is None:
        return data
    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(data)))
    for page, name in bookmarks:
        writer.add_outline_item(title=name, page_number=page - 1)
    if password is not None:
        writer.encrypt(password, owner_password="owner", algorithm="AES-256")
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def _pdf_content(text: str, wrap: int) -> bytes:
    lines = [
        piece
        for line in text.split("\n")
        for piece in (textwrap.wrap(line, wrap, break_on_hyphens=False) or [""])
    ]
    shown = b"\n".join(b"(%s) Tj T*" % _pdf_escape(line) for line in lines)
    return b"BT /F1 12 Tf 14 TL 50 740 Td\n" + shown + b"\nET"


def _pdf_escape(text: str) -> bytes:
    data = text.encode("cp1252", "replace")
    return data.replace(b"\\", b"\\\\").replace(b"(", b"\\(").replace(b")", b"\\)")


def _pdf_string(text: str) -> bytes:
    return b"<feff" + text.encode("utf-16-be").hex().encode() + b">"


def _pdf_file(objects: Sequence[bytes]) -> bytes:
    out = bytearray(b"%PDF-1.7\n")
    offsets = []
    for n, body in enumerate(objects, 1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (n, body)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    out += b"trailer\n<< /Size %d /Root 1 0 R /Info %d 0 R >>\n" % (len(objects) + 1, len(objects))
    return bytes(out) + b"startxref\n%d\n%%%%EOF\n" % start


def make_docx(
    blocks: Sequence[tuple[str, str] | Sequence[Sequence[str]]],
    *,
    title: str = "",
    author: str = "",
    modified: datetime | None = None,
    keywords: str = "",
) -> bytes:
    """A DOCX from blocks: ``(style, text)``, or rows of cells for a table.

    The style is one of python-docx's: "Title", "Heading 1", "Normal", "List Bullet", "List Number".
    """
    file = docx.Document()
    for block in blocks:
        if isinstance(block, tuple) and isinstance(block[1], str):
            file.add_paragraph(block[1], style=block[0])
            continue
        rows = list(block)
        table = file.add_table(rows=len(rows), cols=max(len(row) for row in rows))
        for row, cells in zip(table.rows, rows, strict=True):
            for cell, text in zip(row.cells, cells, strict=False):
                cell.text = text
    core = file.core_properties
    core.title, core.author, core.keywords = title, author, keywords
    core.modified = modified or datetime(2026, 5, 1, 10)
    return save_docx(file)


def save_docx(file: docx.document.Document) -> bytes:
    """The bytes of a document made with python-docx."""
    out = io.BytesIO()
    file.save(out)
    return out.getvalue()


def wrap_in(paragraph: object, tag: str) -> None:
    """Put the last run of a python-docx paragraph into an element, such as ``w:ins`` or ``w:del``."""
    element = paragraph._p  # type: ignore[attr-defined]
    run = element.findall(qn("w:r"))[-1]
    wrapper = OxmlElement(tag)
    element.replace(run, wrapper)
    wrapper.append(run)


def make_csv(rows: Sequence[Sequence[object]], delimiter: str = ",") -> bytes:
    """Rows of cells as UTF-8, quoted where needed."""
    out = io.StringIO(newline="")
    csv.writer(out, delimiter=delimiter).writerows(rows)
    return out.getvalue().encode()


def make_jsonl(records: Sequence[Mapping[str, object]]) -> bytes:
    """One JSON object on each line."""
    return "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records).encode()


def make_html(body: str, title: str | None = None, head: str = "") -> bytes:
    """A page with this body, as UTF-8 with its declaration."""
    named = f"<title>{title}</title>" if title else ""
    head = f"<meta charset='utf-8'>{named}{head}"
    return f"<!doctype html><html><head>{head}</head><body>{body}</body></html>".encode()


def make_markdown(body: str, **front_matter: object) -> bytes:
    """Markdown with front matter of JSON values, which are YAML too."""
    if not front_matter:
        return body.encode()
    lines = "".join(f"{key}: {json.dumps(value)}\n" for key, value in front_matter.items())
    return f"---\n{lines}---\n{body}".encode()


PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c63000100000500"
    "010d0a2db40000000049454e44ae426082"
)
"""A picture of one pixel."""


@dataclass(frozen=True)
class Slide:
    """A slide of :func:`make_pptx`. Items begin with a space for each level that they stand in."""

    title: str | None = None
    items: Sequence[str] = ()
    text: str = ""
    table: Sequence[Sequence[str]] = ()
    notes: str = ""
    picture: bool = False
    hidden: bool = False


def make_pptx(
    slides: Sequence[Slide], *, title: str = "", author: str = "", modified: datetime | None = None
) -> bytes:
    """A deck with a placeholder for the title and for items, and boxes for what else a slide holds."""
    file = pptx.Presentation()
    for slide in slides:
        layout = file.slide_layouts[1 if slide.items else 6 if slide.title is None else 5]
        made = file.slides.add_slide(layout)
        if slide.title is not None and made.shapes.title is not None:
            made.shapes.title.text = slide.title
        for n, item in enumerate(slide.items):
            frame = made.placeholders[1].text_frame
            paragraph = frame.paragraphs[0] if n == 0 else frame.add_paragraph()
            paragraph.text, paragraph.level = item.lstrip(), len(item) - len(item.lstrip())
        if slide.text:
            made.shapes.add_textbox(0, 0, Inches(4), Inches(2)).text_frame.text = slide.text
        if slide.table:
            rows, columns = len(slide.table), max(len(row) for row in slide.table)
            table = made.shapes.add_table(rows, columns, 0, 0, Inches(4), Inches(2)).table
            for row, cells in enumerate(slide.table):
                for column, text in enumerate(cells):
                    table.cell(row, column).text = text
        if slide.picture:
            made.shapes.add_picture(io.BytesIO(PNG), 0, 0)
        if slide.notes:
            made.notes_slide.notes_text_frame.text = slide.notes
        if slide.hidden:
            made.element.set("show", "0")
    core = file.core_properties
    core.title, core.author = title, author
    core.modified = modified or datetime(2026, 5, 1, 10)
    return save_pptx(file)


def save_pptx(file: pptx.presentation.Presentation) -> bytes:
    """The bytes of a deck made with python-pptx."""
    out = io.BytesIO()
    file.save(out)
    return out.getvalue()


def make_xlsx(sheets: Mapping[str, Iterable[Sequence[object]]], *, hidden: Sequence[str] = ()) -> bytes:
    """A workbook from the rows of its sheets, as openpyxl takes them."""
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
        if name in hidden:
            sheet.sheet_state = "hidden"
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def make_raw_xlsx(rows: str, before: str = "", strings: Sequence[str] = ()) -> bytes:
    """A workbook of one sheet with this XML for its rows, and shared strings."""
    main = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
    sheet = f"<worksheet {main}>{before}<sheetData>{rows}</sheetData></worksheet>"
    shared = "".join(f"<si><t>{escape(text)}</t></si>" for text in strings)
    book = make_xlsx({"Sheet": [[1]]})
    with zipfile.ZipFile(io.BytesIO(book)) as archive:
        types = archive.read("[Content_Types].xml").decode()
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings+xml"
    if kind not in types:  # openpyxl writes texts into their cells
        part = f'<Override PartName="/xl/sharedStrings.xml" ContentType="{kind}"/>'
        types = types.replace("</Types>", f"{part}</Types>")
    return rezip(
        book,
        {
            "[Content_Types].xml": types.encode(),
            "xl/worksheets/sheet1.xml": sheet.encode(),
            "xl/sharedStrings.xml": f"<sst {main}>{shared}</sst>".encode(),
        },
    )


def make_epub(
    chapters: Sequence[tuple[str | None, str]],
    *,
    title: str = "A Book",
    authors: Sequence[str] = (),
    date: str = "",
    contents: str = "nav",
    parts: Mapping[str, Sequence[int]] | None = None,
    members: Mapping[str, bytes] | None = None,
) -> bytes:
    """A book from (title in the contents, body) of its chapters; ``chapter0.xhtml`` is the first.

    ``contents`` is ``nav`` (EPUB 3), ``ncx`` (EPUB 2) or empty, ``parts`` are titles over
    chapters by number. ``members`` are added, or replace those of the same name.
    """
    groups = parts or {"": range(len(chapters))}
    nav, ncx = "", ""
    for part, numbers in groups.items():
        named = [(n, escape(name)) for n in numbers if (name := chapters[n][0]) is not None]
        links = "".join(f'<li><a href="chapter{n}.xhtml#top">{name}</a></li>' for n, name in named)
        points = "".join(_nav_point(name, f"chapter{n}.xhtml") for n, name in named)
        nav += f"<li><span>{escape(part)}</span><ol>{links}</ol></li>" if part else links
        ncx += _nav_point(escape(part), f"chapter{numbers[0]}.xhtml#top", points) if part else points
    declared = "".join(f"<dc:creator>{escape(author)}</dc:creator>" for author in authors)
    declared += f"<dc:title>{escape(title)}</dc:title>" if title else ""
    declared += f"<dc:date>{date}</dc:date>" if date else ""
    page = 'media-type="application/xhtml+xml"'
    items = "".join(f'<item id="c{n}" href="chapter{n}.xhtml" {page}/>' for n in range(len(chapters)))
    items += f'<item id="nav" href="nav.xhtml" properties="nav" {page}/>' if contents == "nav" else ""
    items += (
        '<item id="ncx" href="toc.ncx" media-type="application/x-dtbncx+xml"/>' if contents == "ncx" else ""
    )
    spine = "".join(f'<itemref idref="c{n}"/>' for n in range(len(chapters)))
    html = '<html xmlns="http://www.w3.org/1999/xhtml" xmlns:epub="http://www.idpf.org/2007/ops"><head><title/></head>'
    files = {
        "mimetype": "application/epub+zip",
        "META-INF/container.xml": '<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container">'
        '<rootfiles><rootfile full-path="OEBPS/book.opf"/></rootfiles></container>',
        "OEBPS/book.opf": '<package xmlns="http://www.idpf.org/2007/opf" '
        'xmlns:dc="http://purl.org/dc/elements/1.1/">'
        f"<metadata>{declared}</metadata><manifest>{items}</manifest><spine>{spine}</spine></package>",
        "OEBPS/nav.xhtml": f'{html}<body><nav epub:type="toc"><ol>{nav}</ol></nav></body></html>',
        "OEBPS/toc.ncx": f'<ncx xmlns="http://www.daisy.org/z3986/2005/ncx/"><navMap>{ncx}</navMap></ncx>',
    }
    for n, (_, body) in enumerate(chapters):
        files[f"OEBPS/chapter{n}.xhtml"] = f"{html}<body>{body}</body></html>"
    return make_zip({**{name: text.encode() for name, text in files.items()}, **(members or {})})


def _nav_point(title: str, source: str, inner: str = "") -> str:
    return f'<navPoint><navLabel><text>{title}</text></navLabel><content src="{source}"/>{inner}</navPoint>'


def make_eml(
    text: str | None = None,
    *,
    html: str | None = None,
    subject: str | None = "Subject",
    sender: str = "Ann Lee <ann@example.org>",
    to: str = "bob@example.org",
    date: str = "Fri, 01 May 2026 12:00:00 +0200",
    attachments: Sequence[tuple[str, bytes]] = (),
) -> bytes:
    """An e-mail as mail programs write it: both versions of the text, and then the attachments."""
    message = EmailMessage()
    headers = {"Subject": subject, "From": sender, "To": to, "Date": date}
    for name, value in headers.items():
        if value:
            message[name] = value
    if text is not None:
        message.set_content(text)
    if html is not None:
        if text is None:
            message.set_content(html, subtype="html")
        else:
            message.add_alternative(html, subtype="html")
    for name, data in attachments:
        message.add_attachment(data, maintype="application", subtype="octet-stream", filename=name)
    return message.as_bytes()


def make_zip(
    members: Mapping[str, bytes] | Iterable[tuple[str, bytes]], method: int = zipfile.ZIP_DEFLATED
) -> bytes:
    """An archive; pairs may give a name twice."""
    out = io.BytesIO()
    pairs = members.items() if isinstance(members, Mapping) else members
    with warnings.catch_warnings(), zipfile.ZipFile(out, "w", method) as archive:
        warnings.filterwarnings("ignore", "Duplicate name", UserWarning)
        for name, data in pairs:
            info = zipfile.ZipInfo(name, (2026, 5, 1, 10, 0, 0))
            info.compress_type = method
            archive.writestr(info, data)
    return out.getvalue()


def rezip(data: bytes, members: Mapping[str, bytes]) -> bytes:
    """The archive with members replaced, or added."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        kept = {name: archive.read(name) for name in archive.namelist()}
    return make_zip({**kept, **members})


def locked(data: bytes) -> bytes:
    """The archive with every member marked as encrypted."""
    out = bytearray(data)
    for signature, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = data.find(signature)
        while at >= 0:
            out[at + flags] |= 1
            at = data.find(signature, at + 4)
    return bytes(out)
