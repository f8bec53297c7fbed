"""`mails preview` writes every mail in both languages, and needs no database."""

from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path

import pytest

from app import create_app
from app.services.office.mail_samples import LOCALES
from tests.app_factory import logging_restored, make_settings

TEMPLATES = Path(__file__).parent.parent / "app" / "templates" / "email"
MAILS = {folder.name for folder in TEMPLATES.iterdir() if folder.is_dir()}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a preview, made with a database that does not exist."""
    written = tmp_path_factory.mktemp("preview") / "new" / "mails"
    with logging_restored():
        app = create_app(make_settings("sqlite:////nowhere/at/all.db"))
        done = app.test_cli_runner().invoke(args=["mails", "preview", str(written)])
    assert done.exit_code == 0, done.output
    return written


def message(file: Path) -> EmailMessage:
    read = message_from_bytes(file.read_bytes(), policy=default)
    assert isinstance(read, EmailMessage)
    return read


def test_every_mail_there_is_can_be_looked_at_in_both_languages(folder: Path) -> None:
    for kind in ("html", "txt", "eml"):
        for locale in LOCALES:
            stems = {file.name.split(".")[0] for file in folder.glob(f"*.{locale}.{kind}")}
            assert stems == MAILS


def test_a_file_is_the_mail_as_it_would_be_sent(folder: Path) -> None:
    for file in folder.glob("*.eml"):
        mail = message(file)
        assert mail["To"] == "sari@example.com"
        for kind in ("plain", "html"):
            body = mail.get_body((kind,))
            assert body
            kept = file.with_suffix(".txt" if kind == "plain" else ".html")
            assert body.get_content().split() == kept.read_text(encoding="utf-8").split()


def test_subjects_are_short_different_and_in_their_language(folder: Path) -> None:
    subjects = {file.stem: str(message(file)["Subject"]) for file in folder.glob("*.eml")}
    assert all(len(subject) <= 70 for subject in subjects.values())
    for stem, subject in subjects.items():
        if stem.endswith(".id"):
            assert subject != subjects[stem.removesuffix("id") + "en"]


def test_the_confirmation_brings_the_tickets_and_the_calendar(folder: Path) -> None:
    files = list(message(folder / "etickets.id.eml").iter_attachments())
    assert [file.get_content_type() for file in files] == ["application/pdf", "text/calendar"]
    kept = folder / "etickets.id.e-tickets-TX7K2M9QPA.pdf"
    assert kept.read_bytes() == files[0].get_content()
    assert kept.read_bytes().startswith(b"%PDF-")


def test_the_index_leads_to_everything(folder: Path) -> None:
    index = (folder / "index.html").read_text(encoding="utf-8")
    for file in folder.iterdir():
        if file.name != "index.html":
            assert f'href="{file.name}"' in index


def test_no_text_is_left_untranslated_or_unfilled(folder: Path) -> None:
    for file in folder.glob("*.txt"):
        text = file.read_text(encoding="utf-8")
        assert "%(" not in text
        assert "None" not in text
        if file.stem.startswith("invitation"):
            continue  # whose name is not known yet
        greeting = "Halo" if file.stem.endswith(".id") else "Hello"
        assert text.startswith(f"{greeting} Sari Dewi,\n")
