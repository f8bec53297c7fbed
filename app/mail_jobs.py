"""The worker's jobs that send mail."""

from typing import Any

from app.clock import utcnow
from app.gateways import current_gateways, current_settings
from app.services.money import correspondence
from app.services.office import (
    invitations,
    message_listing,
    message_sending,
    updated_etickets,
)
from app.services.selling import delivery, resending


def deliver_etickets(payload: dict[str, Any]) -> None:
    """Mail an order's e-tickets."""
    delivery.deliver_etickets(
        payload["order_id"],
        now=utcnow(),
        renderer=current_gateways().renderer,
        mailer=current_gateways().mailer,
        settings=current_settings(),
    )


def resend_etickets(payload: dict[str, Any]) -> None:
    """Mail an order's e-tickets once more."""
    resending.deliver_again(
        **payload,
        now=utcnow(),
        renderer=current_gateways().renderer,
        mailer=current_gateways().mailer,
        settings=current_settings(),
    )


def send_updated_etickets(payload: dict[str, Any]) -> None:
    """Mail an order's e-tickets as staff left them."""
    resending.deliver_again(
        **payload,
        now=utcnow(),
        renderer=current_gateways().renderer,
        mailer=current_gateways().mailer,
        settings=current_settings(),
        write=updated_etickets.write_letter,
    )


def send_letter(payload: dict[str, Any]) -> None:
    """Mail a letter about an order's money."""
    correspondence.send_letter(
        **payload,
        now=utcnow(),
        mailer=current_gateways().mailer,
        settings=current_settings(),
    )


def send_invitation(payload: dict[str, Any]) -> None:
    """Mail the link of an invitation."""
    invitations.send(
        payload["invitation_id"],
        now=utcnow(),
        mailer=current_gateways().mailer,
        settings=current_settings(),
    )


def list_message(payload: dict[str, Any]) -> None:
    """Make the list of those a message goes to."""
    message_listing.finish(payload["message_id"], clock=utcnow)


def send_message(payload: dict[str, Any]) -> None:
    """Send the next letters of a message to attendees."""
    message_sending.send_batch(
        payload["message_id"],
        clock=utcnow,
        mailer=current_gateways().mailer,
        settings=current_settings(),
    )


def try_message(payload: dict[str, Any]) -> None:
    """Mail a message's draft to its writer."""
    message_sending.send_sample(
        **payload, mailer=current_gateways().mailer, settings=current_settings()
    )
