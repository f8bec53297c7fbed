"""The form of a message to attendees."""

from collections.abc import Container
from dataclasses import dataclass, field

from flask_babel import lazy_gettext as _l
from werkzeug.datastructures import MultiDict

from app.errors import Words
from app.services.office.messages import MessageText

SUBJECT_LENGTH = 150
BODY_LENGTH = 5000


@dataclass
class MessageForm:
    """What was typed, and what is wrong with it by field."""

    subject: str = ""
    body: str = ""
    subject_en: str = ""
    body_en: str = ""
    ticket_ids: list[int] = field(default_factory=list)
    errors: dict[str, Words] = field(default_factory=dict)

    @classmethod
    def sent(cls, form: MultiDict[str, str], tickets: Container[int]) -> "MessageForm":
        """Return what a browser sent, checked; unknown tickets are left out."""
        typed = cls(
            subject=_line(form.get("subject", "")),
            body=_text(form.get("body", "")),
            subject_en=_line(form.get("subject_en", "")),
            body_en=_text(form.get("body_en", "")),
            ticket_ids=[one for one in form.getlist("ticket", type=int) if one in tickets],
        )
        typed._check()
        return typed

    @property
    def text(self) -> MessageText:
        """Return what the message says."""
        return MessageText(self.subject, self.body, self.subject_en, self.body_en)

    def _check(self) -> None:
        if not self.ticket_ids:
            self.errors["ticket"] = _l("Choose at least one ticket.")
        if not self.subject:
            self.errors["subject"] = _l("Please write a subject.")
        if not self.body:
            self.errors["body"] = _l("Please write a text.")
        if bool(self.subject_en) != bool(self.body_en):
            missing = "body_en" if self.subject_en else "subject_en"
            self.errors[missing] = _l("The English part needs a subject and a text, or neither.")
        for name, longest in (("subject", SUBJECT_LENGTH), ("body", BODY_LENGTH)):
            for one in (name, f"{name}_en"):
                if len(getattr(self, one)) > longest:
                    words = _l("This is too long: at most %(num)d characters.", num=longest)
                    self.errors[one] = words


def _line(typed: str) -> str:
    """Return one printable line with single spaces."""
    return " ".join("".join(c if c.isprintable() else " " for c in typed).split())


def _text(typed: str) -> str:
    """Return plain text with plain line ends, and no other control characters."""
    lines = typed.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    kept = ("".join(c for c in line if c.isprintable() or c == "\t").rstrip() for line in lines)
    return "\n".join(kept).strip("\n")
