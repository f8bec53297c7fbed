"""Turns HTML into a tagged PDF. Importing this loads WeasyPrint: most of a second, and 50 MiB."""

from pathlib import Path

from weasyprint import CSS, HTML
from weasyprint.text.fonts import FontConfiguration
from weasyprint.urls import URLFetcher

APP = Path(__file__).resolve().parent.parent
STYLES = APP / "templates" / "pdf"
FONTS = APP / "static" / "fonts" / "pdf"
# Tagged and titled for screen readers, by ISO 14289-1.
VARIANT = "pdf/ua-1"


class Press:
    """What costs time or leaks memory when made anew for every PDF. For one thread at a time.

    `style` names the sheet of `templates/pdf/` by which its pages look, in the faces of fonts.css.
    """

    def __init__(self, style: str) -> None:
        self._fonts = FontConfiguration()
        sheets = [(STYLES / name).read_text(encoding="utf-8") for name in ("fonts.css", style)]
        self._sheet = CSS(
            string="\n".join(sheets),
            base_url=f"{FONTS.as_uri()}/",
            font_config=self._fonts,
            url_fetcher=URLFetcher(allowed_protocols={"file"}),
        )
        # A ticket itself needs its QR code and nothing else: neither network nor disk.
        self._fetcher = URLFetcher(allowed_protocols={"data"})

    def print(self, html: str) -> bytes:
        """Return the PDF of a page; raises whatever WeasyPrint and what lies below it raise."""
        page = _Page(string=html, url_fetcher=self._fetcher)
        pdf = page.write_pdf(
            stylesheets=[self._sheet], font_config=self._fonts, pdf_variant=VARIANT
        )
        return bytes(pdf or b"")


class _Page(HTML):  # type: ignore[misc]  # WeasyPrint has no types
    """A page styled by its one sheet alone.

    WeasyPrint's own sheet knows forms, lists and five kinds of footnotes for every element: a
    tenth of the time of a whole ticket.
    """

    def _ua_stylesheets(self, forms: bool = False) -> list[CSS]:
        return []
