"""A message as the letter that one person gets."""

from typing import NamedTuple
from urllib.parse import urlsplit

from app.config import Settings
from app.integrations.mail_templates import compose
from app.integrations.mailer import Letter
from app.services.office.messages import MessageText

TEMPLATE = "message"


class Recipient(NamedTuple):
    """One person who is being written to."""

    id: int
    email: str
    full_name: str
    locale: str
    order_code: str
    order_token: str
    holds_ticket: bool = True


def write_letter(
    message_id: int, recipient: Recipient, text: MessageText, settings: Settings
) -> Letter:
    """Return the letter to one person, in their language where the message has it."""
    locale, subject, body = text.in_language(recipient.locale)
    event = settings.event
    subject, plain, html = compose(
        TEMPLATE,
        locale,
        subject=subject,
        paragraphs=_split_paragraphs(body),
        event_name=event.name,
        contact_email=event.contact_email,
        accent=event.accent,
        action=event.action,
        buyer_name=recipient.full_name,
        order_code=recipient.order_code,
        order_url=f"{settings.public_url}/orders/{recipient.order_token}",
    )
    host = urlsplit(settings.public_url).hostname
    return Letter(
        to=recipient.email,
        subject=subject,
        text=plain,
        html=html,
        message_id=f"<message-{message_id}.{recipient.id}@{host}>",
        locale=locale,
        reply_to=event.contact_email,
    )


def _split_paragraphs(body: str) -> list[list[str]]:
    """Return the lines of each paragraph; empty lines part them."""
    blocks = "\n".join(line.rstrip() for line in body.splitlines()).split("\n\n")
    return [block.strip("\n").split("\n") for block in blocks if block.strip()]
