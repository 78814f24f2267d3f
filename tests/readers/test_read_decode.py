"""Bytes to text: UTF-8 unchanged, marks obeyed, other encodings only where they are plain."""

import pytest

from rag.errors import ReadError
from rag.readers.decode import clean, decode


@pytest.mark.parametrize(
    "text", ["", "a\r\nb\rc\n", "\ufeffmark", "emoji 🎉 ‏עברית‏ \x07\x1b[0m", "\u2028\x0c"]
)
def test_utf8_is_unchanged(text: str) -> None:
    assert decode(text.encode()).text == text


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32"])
def test_a_mark_names_the_encoding(encoding: str) -> None:
    assert decode("Grüße, 東京".encode(encoding)).text == "Grüße, 東京"


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("café", "cp1252"),
        ("Die Straße führt über die Brücke – “schön”, nicht?", "cp1252"),
        ("El niño comió una piña. ¿Dónde está mañana?", "cp1252"),
        ("Zażółć gęślą jaźń. Święto wiosny w Łodzi będzie piękne.", "cp1250"),
        ("Привет, это обычный русский текст, достаточно длинный для распознавания.", "cp1251"),
        ("Привет, это обычный русский текст, достаточно длинный для распознавания.", "koi8_r"),
        ("これは日本語の文章です。文字コードの判定を試します。", "shift_jis"),
        ("这是一个中文文本，用于检测编码。北京是中国的首都。", "gb18030"),
        ("이것은 한국어 텍스트입니다. 서울은 대한민국의 수도입니다.", "euc_kr"),
        ("Αυτό είναι ένα ελληνικό κείμενο για δοκιμή.", "cp1253"),
    ],
)
def test_a_legacy_encoding_is_told_from_its_text(text: str, encoding: str) -> None:
    assert decode(text.encode(encoding)).text == text


def test_what_could_be_several_encodings_is_refused() -> None:
    with pytest.raises(ReadError, match="its encoding could not be told"):
        decode("זהו טקסט קצר".encode("cp1255"))


def test_nul_means_binary() -> None:
    with pytest.raises(ReadError, match="looks like a binary file"):
        decode(b"text\0text")


def test_a_cut_character_at_the_end_is_said_and_the_rest_read() -> None:
    decoded = decode("naïve café".encode()[:-1])
    assert decoded.text == "naïve caf"
    assert decoded.notice == "The file ends in the middle of a character; the rest of it was read."


def test_a_few_broken_bytes_do_not_make_another_encoding() -> None:
    decoded = decode("ä".encode() * 20 + b"\xff" + "ö".encode() * 20)
    assert decoded.text == "ä" * 20 + "\ufffd" + "ö" * 20
    assert (
        decoded.notice
        == "The file is not valid UTF-8 in one place, shown as \ufffd; the rest of it was read."
    )


def test_cleaning_joins_pairs_and_replaces_lone_surrogates() -> None:
    assert clean("a\ud83c\udf89b\ud800c\0") == "a🎉b\ufffdc\ufffd"
