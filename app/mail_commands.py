"""Commands for the mails: look at every one of them before a buyer does."""

from pathlib import Path

import click
from flask import render_template
from flask.cli import AppGroup

from app.clock import utcnow
from app.gateways import current_gateways, current_settings
from app.services.office.mail_samples import LOCALES, Sample, sample_mails

mails = AppGroup("mails", help="The mails to buyers.")


@mails.command("preview")
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
def preview(folder: Path) -> None:
    """Write every mail, in both languages and with made-up data, into FOLDER.

    Each as .html, .txt and .eml, with its attachments; index.html leads to all of them.
    """
    folder.mkdir(parents=True, exist_ok=True)
    written: list[tuple[str, Sample]] = []
    for locale in LOCALES:
        for sample in sample_mails(
            locale,
            now=utcnow(),
            renderer=current_gateways().renderer,
            settings=current_settings(),
        ):
            stem = f"{sample.name}.{locale}"
            _write(folder, stem, sample)
            written.append((stem, sample))
    page = render_template("email/_preview.html", mails=written)
    (folder / "index.html").write_text(page, encoding="utf-8")
    click.echo(f"{len(written)} mails written: open {folder / 'index.html'}")


def _write(folder: Path, stem: str, sample: Sample) -> None:
    letter = sample.letter
    (folder / f"{stem}.html").write_text(letter.html, encoding="utf-8")
    (folder / f"{stem}.txt").write_text(letter.text, encoding="utf-8")
    (folder / f"{stem}.eml").write_bytes(current_gateways().mailer.as_file(letter))
    for file in letter.attachments:
        (folder / f"{stem}.{file.filename}").write_bytes(file.data)
