"""Reads a PDF back with PDFium, the reader inside Chromium."""

import ctypes
import re
import unicodedata
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pypdfium2
import pypdfium2.raw as pdfium_c

POINTS_PER_MM = 72 / 25.4
FOLD = 148.5  # millimetres from the foot

_opened: list[pypdfium2.PdfDocument] = []


def open_pdf(data: bytes) -> pypdfium2.PdfDocument:
    """Open a PDF until `close_pdfs`."""
    _opened.append(pypdfium2.PdfDocument(data))
    return _opened[-1]


def close_pdfs() -> None:
    """Close every PDF that is open."""
    while _opened:
        _opened.pop().close()


def text_of(page: pypdfium2.PdfPage) -> str:
    """Return a page's text, composed, with single spaces."""
    words = page.get_textpage().get_text_bounded().replace("\N{NO-BREAK SPACE}", " ")
    return unicodedata.normalize("NFC", " ".join(words.split()))


def fonts_of(pdf: pypdfium2.PdfDocument) -> dict[str, bool]:
    """Return the fonts that draw text, and whether the file carries them."""
    fonts = {}
    for page in pdf:
        for item in page.get_objects(filter=[pdfium_c.FPDF_PAGEOBJ_TEXT]):
            font = pdfium_c.FPDFTextObj_GetFont(item)
            name = ctypes.create_string_buffer(100)
            pdfium_c.FPDFFont_GetBaseFontName(font, name, 100)
            fonts[name.value.decode().partition("+")[2]] = bool(
                pdfium_c.FPDFFont_GetIsEmbedded(font)
            )
    return fonts


def boxes_of(page: pypdfium2.PdfPage, letters: str) -> list[tuple[float, float, float, float]]:
    """Return left, bottom, right, top in mm of some letters, wherever above the fold."""
    text = page.get_textpage()
    everywhere = [
        tuple(edge / POINTS_PER_MM for edge in text.get_charbox(index))
        for index in range(text.count_chars())
        if text.get_text_range(index, 1) in tuple(letters)
    ]
    return [box for box in everywhere if box[1] > FOLD]


@dataclass(frozen=True)
class Tag:
    """An element of a page's structure, as a screen reader walks it."""

    kind: str  # "H1", "P", "Figure" …
    alternative: str


def tags_of(page: pypdfium2.PdfPage) -> list[Tag]:
    """Return the elements of a page in reading order, outer before inner."""
    tree = pdfium_c.FPDF_StructTree_GetForPage(page)
    tops = range(max(0, pdfium_c.FPDF_StructTree_CountChildren(tree)))
    found: list[Tag] = []
    for index in tops:
        _walk(pdfium_c.FPDF_StructTree_GetChildAtIndex(tree, index), found)
    pdfium_c.FPDF_StructTree_Close(tree)
    return found


def _walk(element: Any, found: list[Tag]) -> None:
    kind = _words(pdfium_c.FPDF_StructElement_GetType, element)
    found.append(Tag(kind, _words(pdfium_c.FPDF_StructElement_GetAltText, element)))
    for index in range(max(0, pdfium_c.FPDF_StructElement_CountChildren(element))):
        if child := pdfium_c.FPDF_StructElement_GetChildAtIndex(element, index):
            _walk(child, found)


def _words(read: Callable[[Any, Any, int], int], element: Any) -> str:
    size = read(element, None, 0)
    words = ctypes.create_string_buffer(size)
    read(element, words, size)
    return words.raw[:size].decode("utf-16-le").rstrip("\0")


def marks_of(item: pypdfium2.PdfObject) -> list[str]:
    """Return how what is drawn is marked: with the kind of its tag, or as an `Artifact`."""
    names = []
    for index in range(pdfium_c.FPDFPageObj_CountMarks(item)):
        name, size = (ctypes.c_ushort * 100)(), ctypes.c_ulong()
        mark = pdfium_c.FPDFPageObj_GetMark(item, index)
        pdfium_c.FPDFPageObjMark_GetName(mark, name, 200, size)
        names.append(bytes(name)[: size.value].decode("utf-16-le").rstrip("\0"))
    return names


def colour_of(item: pypdfium2.PdfObject) -> tuple[int, int, int]:
    """Return the red, green and blue something is filled with."""
    red, green, blue, opacity = (ctypes.c_uint() for _ in range(4))
    pdfium_c.FPDFPageObj_GetFillColor(item, red, green, blue, opacity)
    return red.value, green.value, blue.value


def inflated(data: bytes) -> bytes:
    """Return a file with its packed streams in the clear after it, to be searched."""
    streams = re.findall(rb"stream\r?\n(x.*?)\r?\nendstream", data, re.DOTALL)
    return data + b"\n".join(zlib.decompressobj().decompress(stream) for stream in streams)
