"""Zip archives: members as files, and whatever is wrong with one of them."""

import io
import stat
import struct
import zipfile

import pytest

from rag.readers import ReadOptions, ReadResult, read_bytes
from rag.types import ReadFailure
from tests.files import PNG, locked, make_csv, make_docx, make_eml, make_markdown, make_zip


def result(data: bytes, options: ReadOptions | None = None) -> ReadResult:
    return read_bytes(data, "in/box.zip", options or ReadOptions())


def sources(found: ReadResult) -> list[str]:
    return [document.source.removeprefix("in/box.zip/") for document in found.documents]


def errors(found: ReadResult) -> list[tuple[str, str]]:
    return [(failure.path.removeprefix("in/box.zip/"), failure.error) for failure in found.failures]


def test_members_are_files_of_the_archive_in_order_of_their_paths() -> None:
    members = {
        "z.txt": b"last",
        "letters/a.docx": make_docx([("Normal", "Dear Bob")]),
        "letters/b.md": make_markdown("# Title\n\nText.", topic="roses"),
        "table.csv": make_csv([["name", "n"], ["x", 1], ["y", 2]]),
        "mail.eml": make_eml("Hi", attachments=[("c.txt", b"inner")]),
    }
    found = result(make_zip(members))
    assert found.failures == ()
    assert sources(found) == [
        "letters/a.docx",
        "letters/b.md",
        "mail.eml",
        "mail.eml/c.txt",
        "table.csv",
        "table.csv",
        "z.txt",
    ]
    assert found.documents[1].metadata["topic"] == "roses"


def test_a_member_is_the_document_that_the_file_itself_would_be() -> None:
    (member,) = result(make_zip({"deep/a.txt": b"Some words."})).documents
    (file,) = read_bytes(b"Some words.", "a.txt").documents
    assert (member.id, member.title, member.blocks) == (file.id, file.title, file.blocks)


def test_what_a_folder_would_pass_over_is_passed_over() -> None:
    link = zipfile.ZipInfo("link.txt")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(link, "/etc/passwd")
        for name in (".hidden.txt", ".git/a.txt", "__MACOSX/._a.txt", "photo.png", "folder/", "a.txt"):
            archive.writestr(name, "" if name.endswith("/") else "words")
    found = result(out.getvalue())
    assert (sources(found), found.failures) == (["a.txt"], ())


@pytest.mark.parametrize(
    "name", ["../a.txt", "x/../../a.txt", "/etc/a.txt", "C:\\a.txt", "..\\a.txt", "C:/a.txt"]
)
def test_paths_that_climb_out_are_refused_alone(name: str) -> None:
    found = result(make_zip({name: b"evil", "good.txt": b"good"}))
    assert sources(found) == ["good.txt"]
    assert [error for _, error in errors(found)] == [
        "Its path leads out of the archive, so it was not read. Pack it again from its folder."
    ]


def test_backslashes_are_what_windows_writes() -> None:
    assert sources(result(make_zip({"letters\\a.txt": b"words"}))) == ["letters/a.txt"]


def test_archives_in_archives_are_refused_alone_whatever_they_are_called() -> None:
    inner = make_zip({"x.txt": b"x"})
    mail = make_eml("Hi", attachments=[("deep.zip", inner)])
    found = result(make_zip({"a.zip": inner, "b.txt": inner, "good.txt": b"good", "mail.eml": mail}))
    sentence = "This is an archive inside an archive, which is not opened. Unpack the outer one."
    assert sources(found) == ["good.txt", "mail.eml"]
    assert errors(found) == [("a.zip", sentence), ("b.txt", sentence), ("mail.eml/deep.zip", sentence)]


def test_members_with_a_password_are_refused() -> None:
    found = result(locked(make_zip({"a.txt": b"secret"})))
    assert errors(found) == [
        ("a.txt", "The member is protected by a password. Unpack it, or pack it without one.")
    ]


def test_a_damaged_member_costs_itself_only() -> None:
    data = make_zip({"a.txt": b"damaged words", "b.txt": b"good words"}, zipfile.ZIP_STORED)
    found = result(data.replace(b"damaged words", b"damaged wurds"))
    assert sources(found) == ["b.txt"]
    assert errors(found) == [("a.txt", "The member is damaged and could not be unpacked.")]


def test_of_a_name_that_comes_twice_the_last_is_read() -> None:
    found = result(make_zip([("a.txt", b"old"), ("b.txt", b"b"), ("a.txt", b"new")]))
    assert [document.text for document in found.documents] == ["new", "b"]
    assert errors(found) == [
        ("a.txt", "The archive has another member of this name further down, which was read instead.")
    ]


def test_names_are_utf_8_where_their_bytes_are() -> None:
    unmarked = make_zip({"grXXe.txt": b"words"}).replace(b"grXXe", "grö".encode() + b"e")
    assert sources(result(unmarked)) == ["gröe.txt"]
    dos = make_zip({"grXe.txt": b"words"}).replace(b"grXe", b"gr\x94e")
    assert sources(result(dos)) == ["gröe.txt"]


def test_a_name_that_is_falsely_called_utf_8_does_not_cost_the_archive() -> None:
    data = bytearray(make_zip({"caX.txt": b"words", "good.txt": b"good"}).replace(b"caX", b"ca\xe9"))
    for signature, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = data.find(signature)
        struct.pack_into("<H", data, at + flags, 0x800)
    found = result(bytes(data))
    assert (len(found.documents), found.failures) == (2, ())
    assert "good.txt" in sources(found)


def test_control_characters_in_names_are_not_shown() -> None:
    assert sources(result(make_zip({"a\n\x1b[31mb.txt": b"words"}))) == ["a [31mb.txt"]


def test_a_member_that_is_made_to_burst_is_refused_alone() -> None:
    found = result(make_zip({"bomb.txt": b"0" * 20_000_000, "good.txt": b"good"}))
    assert sources(found) == ["good.txt"]
    ((path, error),) = errors(found)
    assert path == "bomb.txt"
    assert error.endswith("to 20,000,000 bytes, as only files made to burst do; it was not read.")


def test_a_member_over_the_limit_is_refused_alone() -> None:
    options = ReadOptions(max_bytes=1_000)
    found = result(make_zip({"a.txt": b"ab" * 600, "good.txt": b"good"}), options)
    assert sources(found) == ["good.txt"]
    assert errors(found) == [
        ("a.txt", "The file has 1,200 bytes; the limit is 1,000. Split it, or raise the limit.")
    ]


def test_all_members_together_are_bounded() -> None:
    options = ReadOptions(max_bytes=1_000)
    found = result(make_zip({f"{n}.txt": b"ab" * 400 + b"%d" % n for n in range(8)}), options)
    assert sources(found) == ["0.txt", "1.txt", "2.txt", "3.txt"]
    assert found.failures == (
        ReadFailure(
            "in/box.zip",
            'The archive unpacks to more than 4,000 bytes; from "4.txt" on its members were not read. '
            "Split it.",
        ),
    )


def test_members_that_share_their_bytes_count_each() -> None:
    data = make_zip({"a.txt": b"ab" * 450, "b.txt": b"ab" * 450})
    first, second = data.find(b"PK\x01\x02"), data.rfind(b"PK\x01\x02")
    shared = bytearray(data)
    shared[second + 42 : second + 46] = data[first + 42 : first + 46]  # both begin at the same place
    found = result(bytes(shared), ReadOptions(max_bytes=1_000))
    assert sources(found) == ["a.txt"]
    assert errors(found) == [("b.txt", "The member is damaged and could not be unpacked.")]


def test_too_many_members_are_refused_before_they_are_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rag.readers.zips.MAX_MEMBERS", 3)
    found = result(make_zip({f"{n}.txt": b"x" for n in range(4)}))
    assert [f.error for f in found.failures] == [
        "The archive has more than 3 members. Split it, or unpack it."
    ]


def test_methods_that_cost_memory_are_refused() -> None:
    found = result(make_zip({"a.txt": b"words"}, zipfile.ZIP_LZMA))
    assert errors(found)[0][1].startswith("The member is packed by a method that is not read.")
    assert sources(result(make_zip({"a.txt": b"words"}, zipfile.ZIP_BZIP2))) == ["a.txt"]


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (make_zip({}), "The archive is empty."),
        (make_zip({".hidden": b"x"}), "The archive is empty."),
        (
            make_zip({"a.PNG": PNG, "b.exe": b"x", "LICENSE": b"x"}),
            "The archive holds no file of a type that is read, only these: .exe .png LICENSE.",
        ),
        (make_zip({"a.txt": b"words"})[:-10], "This is an archive (zip) that is damaged or cut short."),
    ],
)
def test_an_archive_with_nothing_to_read_says_why(data: bytes, sentence: str) -> None:
    assert [f.error for f in result(data).failures] == [sentence]


def test_many_bad_members_are_summed_up() -> None:
    found = result(make_zip({f"{n}.pdf": b"x" for n in range(150)}))
    assert len(found.failures) == 101
    assert found.failures[-1] == ReadFailure("in/box.zip", "50 more failures like these are not listed.")


def test_a_sidecar_in_the_archive_describes_its_members() -> None:
    found = result(
        make_zip(
            {
                "metadata.csv": b"file,year,title\na.txt,2020,First\nsub/b.txt,2021,Second\n",
                "a.txt": b"words",
                "sub/b.txt": b"more words",
                "sub/metadata.jsonl": b'{"name": "b.txt", "year": 1999}\n{"name": "gone.txt"}\n',
            }
        ),
        ReadOptions(declared={"year": 1, "owner": "Ann", "title": "The box"}),
    )
    a, b = found.documents
    assert (a.title, a.metadata["year"], a.metadata["owner"]) == ("First", 2020, "Ann")
    assert (b.title, b.metadata["year"], b.metadata["declared_title"]) == ("Second", 1999, "The box")
    assert errors(found) == [
        (
            "sub/metadata.jsonl, line 2",
            'There is no file "gone.txt" here; name files relative to this folder.',
        )
    ]
