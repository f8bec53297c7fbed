"""Builds what reaches the outside world, once a process, from Settings."""

from dataclasses import dataclass
from typing import cast

from flask import Flask, current_app

from app.config import Settings
from app.extensions import mail
from app.integrations.mailer import Mailer
from app.integrations.pdf import TicketRenderer
from app.integrations.xendit import XenditClient


@dataclass(frozen=True)
class Gateways:
    """The payment gateway, the mailer and the ticket renderer of this process."""

    xendit: XenditClient
    mailer: Mailer
    renderer: TicketRenderer


def init_gateways(app: Flask, settings: Settings) -> None:
    """Build the gateways and keep them, with the settings, on the application."""
    app.extensions["settings"] = settings
    app.extensions["gateways"] = Gateways(
        xendit=XenditClient(settings.xendit_api_url, settings.xendit_secret_key),
        mailer=Mailer(mail),
        renderer=TicketRenderer(),
    )


def current_settings() -> Settings:
    """Return the settings of the application at work."""
    return cast(Settings, current_app.extensions["settings"])


def current_gateways() -> Gateways:
    """Return the gateways of the application at work."""
    return cast(Gateways, current_app.extensions["gateways"])
