"""What buyers agree to, and what happens to their data: two pages that say what the code does."""

from datetime import timedelta

from flask import Blueprint, render_template

from app.gateways import current_settings
from app.logs import KEEP_FILES
from app.services.money.cases import TIME_TO_CHOOSE
from app.services.money.extending import MOST_EXTENSIONS
from app.services.office import exports

bp = Blueprint("terms", __name__)


@bp.get("/terms")
def purchase() -> str:
    """Show the terms of purchase and refund, with the times and numbers that hold here."""
    return render_template(
        "terms/purchase.html",
        hold_minutes=max(1, current_settings().order_hold // timedelta(minutes=1)),
        most_extensions=MOST_EXTENSIONS,
        days_to_choose=TIME_TO_CHOOSE.days,
    )


@bp.get("/privacy")
def privacy() -> str:
    """Show which data are kept, why, how long, and who to write to."""
    return render_template(
        "terms/privacy.html",
        log_days=KEEP_FILES.days,
        export_hours=exports.KEPT // timedelta(hours=1),
        has_fair_door=current_settings().fair_door is not None,
    )
