"""Reads a PDF back with PDFium, the reader inside Chromium."""

import ctypes
import unicodedata

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
