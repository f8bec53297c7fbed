"""What the description of the API says of refusals."""

from collections.abc import Callable
from typing import TypeVar

from flask_smorest import Blueprint

from app.routes.api.schemas import ProblemSchema

View = TypeVar("View", bound=Callable[..., object])


def may_refuse(bp: Blueprint, *statuses: int) -> Callable[[View], View]:
    """Describe the statuses an operation may refuse with: each answer is a problem document."""

    def describe(view: View) -> View:
        for status in reversed(statuses):
            view = bp.alt_response(
                status, schema=ProblemSchema, content_type="application/problem+json"
            )(view)
        return view

    return describe
