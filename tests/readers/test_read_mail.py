"""E-mail: the message under its subject, its people and date, and its attachments as files in it."""

from email.message import EmailMessage

import pytest

from rag.readers import ReadOptions, ReadResult, read_bytes
from rag.types import Document, ReadFailure
from tests.files import PNG, make_csv, make_eml, make_pdf, make_zip


def result(data: bytes) -> ReadResult:
    return read_bytes(data, "box/mail.eml")


def read(data: bytes) -> Document:
    found = result(data)
    assert found.failures == ()
    (document,) = found.documents
    return document


def shown(document: Document) -> list[tuple[str, tuple[str, ...], str]]:
    return [(b.kind, b.path, document.text[b.start : b.end]) for b in document.blocks]


def test_the_subject_is_the_title_and_the_text_stands_under_it() -> None:
    document = read(make_eml("Dear Bob,\n\nbring:\n\n- milk\n- eggs\n", subject="Größe der Kanne"))
    path = ("Größe der Kanne",)
    assert document.title == "Größe der Kanne"
    assert shown(document) == [
        ("heading", path, "Größe der Kanne"),
        ("prose", path, "Dear Bob,"),
        ("prose", path, "bring:"),
        ("list", path, "- milk\n- eggs"),
    ]


def test_people_and_date_are_metadata() -> None:
    data = make_eml(
        "Hi", sender="Zoë Ann <ann@example.org>", to='"Lee, Bob" <bob@example.org>, carl@example.org'
    )
    assert dict(read(data).metadata) == {
        "from": "Zoë Ann <ann@example.org>",
        "to": ("Lee, Bob <bob@example.org>", "carl@example.org"),
        "date": 1_777_629_600,
        "type": "email",
    }


def test_plain_text_is_preferred_to_the_page() -> None:
    assert read(make_eml("In plain words.", html="<p>As a page.</p>")).text == "Subject\n\nIn plain words."
    page = "<h1>Hello</h1><p>Größe &amp; more <img src='http://example.com/x.png'></p>"
    assert shown(read(make_eml(html=page))) == [
        ("heading", ("Subject",), "Subject"),
        ("heading", ("Subject", "Hello"), "Hello"),
        ("prose", ("Subject", "Hello"), "Größe & more"),
    ]
    assert read(make_eml(" \n", html="<p>As a page.</p>")).text == "Subject\n\nAs a page."


def test_readable_attachments_are_files_in_the_mail() -> None:
    attachments = [
        ("report.pdf", make_pdf(["The report."])),
        ("logo.png", PNG),
        ("list.csv", make_csv([["name", "n"], ["x", 1], ["y", 2]])),
    ]
    found = result(make_eml("See below.", attachments=attachments))
    assert found.failures == ()
    assert [(d.source, d.title, d.metadata["type"]) for d in found.documents] == [
        ("box/mail.eml", "Subject", "email"),
        ("box/mail.eml/report.pdf", "report", "pdf"),
        ("box/mail.eml/list.csv", "x", "csv"),
        ("box/mail.eml/list.csv", "y", "csv"),
    ]


def test_what_is_wrong_with_an_attachment_costs_itself_only() -> None:
    found = result(make_eml("Hi", attachments=[("a.pdf", make_pdf([""])), ("b.txt", b"Fine")]))
    assert [d.source for d in found.documents] == ["box/mail.eml", "box/mail.eml/b.txt"]
    assert found.failures == (
        ReadFailure(
            "box/mail.eml/a.pdf", "The PDF has no text (scanned?). Run text recognition (OCR) on it first."
        ),
    )


@pytest.mark.parametrize(
    ("name", "shown_as"),
    [
        ("../../etc/a.txt", "a.txt"),
        ("C:\\temp\\a.txt", "a.txt"),
        ("größe.txt", "größe.txt"),
        ("a\r\nb.txt", "a b.txt"),
        (".txt", None),
    ],
)
def test_names_of_attachments_lead_nowhere(name: str, shown_as: str | None) -> None:
    message = EmailMessage()
    message["Subject"] = "S"
    message.set_content("Hi")
    message.add_attachment(b"words", maintype="application", subtype="octet-stream", filename="PLACE")
    data = message.as_bytes().replace(b'filename="PLACE"', b"filename*=utf-8''" + quoted(name))
    sources = [d.source for d in result(data).documents]
    assert sources == ["box/mail.eml", *([f"box/mail.eml/{shown_as}"] if shown_as else [])]


def quoted(name: str) -> bytes:
    return "".join(f"%{byte:02X}" for byte in name.encode()).encode()


def test_attachments_of_one_name_are_numbered() -> None:
    found = result(
        make_eml("Hi", attachments=[("a.txt", b"one"), ("a.txt", b"two"), ("a (2).txt", b"three")])
    )
    assert [(d.source, d.text) for d in found.documents[1:]] == [
        ("box/mail.eml/a.txt", "one"),
        ("box/mail.eml/a (2).txt", "two"),
        ("box/mail.eml/a (2) (2).txt", "three"),
    ]


def test_a_forwarded_mail_is_an_attachment_called_by_its_subject() -> None:
    outer = EmailMessage()
    outer["Subject"] = "Fwd"
    outer.set_content("Look")
    inner = EmailMessage()
    inner["Subject"] = "The original"
    inner["From"] = "eve@example.org"
    inner.set_content("First words", cte="7bit")
    outer.add_attachment(inner)
    one, two = result(outer.as_bytes()).documents
    assert (two.source, two.title, two.metadata["from"]) == (
        "box/mail.eml/The original.eml",
        "The original",
        "eve@example.org",
    )
    assert "First words" not in one.text


def test_mails_within_mails_end_somewhere() -> None:
    data = make_eml("deepest")
    for _ in range(10):
        data = make_eml("outer", attachments=[("in.eml", data)])
    found = result(data)
    assert len(found.documents) == 5
    assert [f.error for f in found.failures] == ["The e-mail is nested too deeply in others to be read."]


def test_an_archive_in_a_mail_is_read_but_none_in_that() -> None:
    inner = make_zip({"a.txt": b"words", "b.zip": make_zip({"c.txt": b"x"})})
    found = result(make_eml("Hi", attachments=[("files.zip", inner)]))
    assert [d.source for d in found.documents] == ["box/mail.eml", "box/mail.eml/files.zip/a.txt"]
    assert [f.path for f in found.failures] == ["box/mail.eml/files.zip/b.zip"]


def test_a_mail_cut_off_in_the_middle_says_so_and_the_rest_is_read() -> None:
    data = make_eml("The text.", attachments=[("a.txt", b"some words " * 200)])
    found = result(data[:-800])
    assert found.documents[0].text == "Subject\n\nThe text."
    assert found.failures[0].error == "The e-mail is cut short; what could be read of it was."


@pytest.mark.parametrize(
    ("header", "title"),
    [
        ("=?utf-8?q?Gr=C3=B6=C3=9Fe?= und mehr", "Größe und mehr"),
        ("=?nonsense?q?abc?=", "abc"),
        ("=?utf-8?b?!!!?=", "mail"),
        ("caf\u00e9", "café"),
    ],
)
def test_subjects_are_decoded_as_far_as_they_can_be(header: str, title: str) -> None:
    data = b"Subject: " + header.encode() + b"\r\nFrom: a@example.org\r\n\r\nSome words.\r\n"
    assert read(data).title == title


def test_the_encoding_of_a_part_may_be_wrong_or_missing() -> None:
    head = b"Subject: S\r\nContent-Type: text/plain; charset="
    assert read(head + b"utf-8\r\n\r\nCaf\xe9 au lait, tr\xe8s bon").text.endswith("Café au lait, très bon")
    assert read(head + b"nonsense\r\n\r\nplain").text == "S\n\nplain"
    page = b"<meta charset=iso-8859-1><p>\xc3\xa9t\xc3\xa9"
    head = b"Subject: S\r\nContent-Type: text/html; charset=utf-8\r\n\r\n"
    assert read(head + page).text == "S\n\nété"


def test_headers_that_are_malformed_are_left_out() -> None:
    data = b"Subject: S\r\nDate: yesterday\r\nFrom: (((((\r\nTo:\r\n\r\nwords\r\n"
    assert set(read(data).metadata) <= {"type", "from"}


def test_an_encrypted_mail_says_so() -> None:
    data = b'Subject: S\r\nContent-Type: application/pkcs7-mime; name="smime.p7m"\r\n\r\nMIIB\r\n'
    assert [f.error for f in result(data).failures] == ["The e-mail is encrypted. Save a copy that is not."]


def test_a_subject_alone_can_be_found() -> None:
    assert read(make_eml("", subject="The meeting is off")).text == "The meeting is off"


def test_nothing_to_read_is_said() -> None:
    data = make_eml("", subject=None, attachments=[("a.png", PNG)])
    assert [f.error for f in result(data).failures] == ["The e-mail has no text in it."]


def test_parts_without_end_are_refused() -> None:
    parts = (
        b'Subject: S\r\nContent-Type: multipart/mixed; boundary="b"\r\n\r\n' + b"--b\r\n\r\nx\r\n" * 100_001
    )
    assert [f.error for f in result(parts).failures] == [
        "The e-mail has too many parts, or too many within each other, to be read."
    ]


def test_what_a_sidecar_declares_holds_for_mail_and_attachments() -> None:
    options = ReadOptions(declared={"title": "Given", "case": 7})
    found = read_bytes(make_eml("Hi", attachments=[("a.txt", b"words")]), "m.eml", options)
    mail, attachment = found.documents
    assert (mail.title, mail.metadata["case"]) == ("Given", 7)
    assert (attachment.title, attachment.metadata["declared_title"], attachment.metadata["case"]) == (
        "a",
        "Given",
        7,
    )
