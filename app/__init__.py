"""TEDx Payment Service: sells tickets, takes payment through Xendit, mails e-tickets."""

import logging
from collections.abc import Callable
from types import TracebackType
from typing import Any

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from app import formatting, lazy_commands
from app.config import Settings
from app.database import engine_options, prepare_engine
from app.extensions import babel, csrf, db, key_box, limiter, mail, migrate
from app.gateways import init_gateways
from app.logs import configure_logging
from app.routes import (
    access,
    addresses,
    api,
    bank_details,
    callback,
    catalogue,
    checkout,
    door,
    door_pairing,
    door_shell,
    error_handlers,
    etickets_page,
    fair_door,
    health,
    hooks,
    lane_hooks,
    language,
    looks,
    order_actions,
    orders,
    proof,
    receipts,
    sessions,
    shop_front,
    staff,
    staff_audit,
    staff_balance,
    staff_cases,
    staff_charts,
    staff_codes,
    staff_conflicts,
    staff_days,
    staff_devices,
    staff_door,
    staff_exports,
    staff_fair_door,
    staff_finance,
    staff_free_tickets,
    staff_gates,
    staff_invitations,
    staff_me,
    staff_messages,
    staff_order_actions,
    staff_order_money,
    staff_orders,
    staff_people,
    staff_quotas,
    staff_second_factor,
    staff_tickets,
    staff_vouchers,
    terms,
)
from app.tracing import current_request_id

MAX_BODY = 64 * 1024


class Service(Flask):
    """Flask, with errors logged by route: an order page's address is a secret."""

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """Return the function as it is: none of ours is async, and each request asks 26 times."""
        return func

    def log_exception(
        self, exc_info: tuple[type, BaseException, TracebackType] | tuple[None, None, None]
    ) -> None:
        logging.getLogger("app").error("unhandled exception in a request", exc_info=exc_info)


def create_app(settings: Settings) -> Flask:
    """Build the application from its settings."""
    configure_logging(settings.log_level, settings.log_dir)
    app = Service(__name__)
    app.config.update(_flask_config(settings))
    hooks.init_app(app, settings)  # first, so that every answer has its id and its log line
    addresses.init_app(app)
    sessions.init_app(app)
    access.init_app(app)  # before the extensions: who may not use a page learns nothing else of it
    _init_extensions(app)
    init_gateways(app, settings)
    _init_templates(app, settings)
    _register_routes(app)
    # From the application outwards: a place in its lane, the visitor's own address, and those who
    # answer without either.
    lane_hooks.init_app(app, settings)
    _trust_proxies(app, settings.trusted_proxies)
    fair_door.init_app(app)
    shop_front.init_app(app)
    looks.init_app(app)
    return app


def _flask_config(settings: Settings) -> dict[str, Any]:
    is_https = settings.public_url.startswith("https://")
    mail_settings = settings.mail
    return {
        "SECRET_KEY": settings.secret_key,
        "SQLALCHEMY_DATABASE_URI": settings.database_url,
        "SQLALCHEMY_ENGINE_OPTIONS": engine_options(settings.database_url),
        "MAX_CONTENT_LENGTH": MAX_BODY,
        "MAX_FORM_MEMORY_SIZE": MAX_BODY,
        "MAX_FORM_PARTS": 500,
        "SESSION_COOKIE_SECURE": is_https,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "WTF_CSRF_TIME_LIMIT": None,  # as long as the session: a slow buyer loses nothing
        "BABEL_DEFAULT_LOCALE": "id",
        "BABEL_DEFAULT_TIMEZONE": str(settings.event.timezone),
        "RATELIMIT_ENABLED": settings.rate_limit_enabled,
        "RATELIMIT_STORAGE_URI": settings.redis_url or "memory://",
        "RATELIMIT_HEADERS_ENABLED": True,
        # It comes with every answer, and would hide when to ask again for an invoice.
        "RATELIMIT_HEADER_RETRY_AFTER": "X-RateLimit-Reset-After",
        "RATELIMIT_IN_MEMORY_FALLBACK_ENABLED": settings.redis_url is not None,
        "MAIL_SERVER": mail_settings.server,
        "MAIL_PORT": mail_settings.port,
        "MAIL_USERNAME": mail_settings.username,
        "MAIL_PASSWORD": mail_settings.password,
        "MAIL_USE_TLS": mail_settings.use_tls,
        "MAIL_USE_SSL": mail_settings.use_ssl,
        "MAIL_DEFAULT_SENDER": (settings.event.name, mail_settings.default_sender),
        "API_TITLE": "TEDx Payment Service",
        "API_VERSION": "1",
        "OPENAPI_VERSION": "3.1.0",
        "OPENAPI_URL_PREFIX": "/api",
        "OPENAPI_JSON_PATH": "openapi.json",
    }


def _trust_proxies(app: Flask, count: int) -> None:
    """Believe the forwarded headers of exactly as many proxies as there are."""
    if count:
        app.wsgi_app = ProxyFix(  # type: ignore[method-assign]
            app.wsgi_app, x_for=count, x_proto=count, x_host=count
        )


def _init_extensions(app: Flask) -> None:
    db.init_app(app)
    with app.app_context():
        prepare_engine(db.engine)
    migrate.init_app(app, db, compare_type=True, render_as_batch=True)
    csrf.init_app(app)
    mail.init_app(app)
    babel.init_app(app, locale_selector=language.select_locale)
    limiter.init_app(app)
    key_box.open(app.config["SECRET_KEY"])


def _init_templates(app: Flask, settings: Settings) -> None:
    functions = {
        name: getattr(formatting, name)
        for name in ("rupiah", "event_date", "event_time", "event_datetime", "short_datetime")
    }
    app.jinja_env.filters.update(functions)
    app.jinja_env.globals.update(functions, event=settings.event, request_id=current_request_id)


def _register_routes(app: Flask) -> None:
    error_handlers.init_app(app)
    for module in (catalogue, checkout, orders, order_actions, bank_details, language, health):
        app.register_blueprint(module.bp)
    app.register_blueprint(etickets_page.bp)
    app.register_blueprint(receipts.bp)
    for office in (staff, staff_door, staff_devices, staff_gates, staff_conflicts):
        app.register_blueprint(office.bp)
    for account in (staff_codes, staff_me, staff_second_factor, proof):
        app.register_blueprint(account.bp)
    for inbox_page in (staff_cases, staff_messages):
        app.register_blueprint(inbox_page.bp)
    for admin_page in (staff_people, staff_invitations, staff_audit):
        app.register_blueprint(admin_page.bp)
    for catalogue_page in (staff_tickets, staff_quotas, staff_vouchers, staff_fair_door):
        app.register_blueprint(catalogue_page.bp)
    for order_page in (staff_orders, staff_free_tickets, staff_order_actions, staff_order_money):
        app.register_blueprint(order_page.bp)
    for money_page in (staff_finance, staff_balance, staff_days, staff_exports, staff_charts):
        app.register_blueprint(money_page.bp)
    for door_module in (door_pairing, door, door_shell):
        app.register_blueprint(door_module.bp)
    app.register_blueprint(terms.bp)
    csrf.exempt(callback.bp)
    app.register_blueprint(callback.bp)
    api.init_app(app)
    lazy_commands.init_app(app)
