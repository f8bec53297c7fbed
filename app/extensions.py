"""Flask extensions as bare objects; `create_app` binds them."""

from flask_babel import Babel
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from flask_login import LoginManager
from flask_mail import Mail
from flask_sqlalchemy import SQLAlchemy
from flask_wtf.csrf import CSRFProtect

from app.database import EnduringSession
from app.integrations.signing import KeyBox
from app.lazy_migrate import LazyMigrate
from app.models.base import Base


class LimitsOnViews(Limiter):
    """Flask-Limiter where every limit stands on a view: before other requests nothing is asked."""

    def _check_request_limit(
        self, callable_name: str | None = None, in_middleware: bool = True
    ) -> None:
        """Check the limits of a view; it costs as much before a view that has none."""
        if not in_middleware:
            super()._check_request_limit(callable_name, in_middleware)


db = SQLAlchemy(model_class=Base, session_options={"class_": EnduringSession})
migrate = LazyMigrate()
csrf = CSRFProtect()
mail = Mail()
babel = Babel()
limiter = LimitsOnViews(key_func=get_remote_address)
login = LoginManager()
key_box = KeyBox()
