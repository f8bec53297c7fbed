"""Names the shape of a JSON value, so that two bodies can be compared field by field."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

UUID = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
TEXT_KINDS = {
    "uuid": UUID,
    "ewc": f"ewc_{UUID}",
    "qrpy": f"qrpy_{UUID}",
    "pm": f"pm-{UUID}",
    "rfd": f"rfd-{UUID}",
    "pr": f"pr-{UUID}",
    "hex24": "[0-9a-f]{24}",
    "time": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z",
    "url": "https?://.*",
}
RECORDED: dict[str, Any] = json.loads(
    Path(__file__).with_name("recorded_shapes.json").read_text(encoding="utf-8")
)


def shape(value: Any) -> Any:
    """Name a value's shape: objects by field, lists by what all their items have together."""
    if isinstance(value, dict):
        return {name: shape(each) for name, each in value.items()}
    if isinstance(value, list):
        return _list_shape(value)
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        return "number"
    kinds = (kind for kind, form in TEXT_KINDS.items() if re.fullmatch(form, value))
    return next(kinds, "string")


def assert_shape_as_recorded(value: Any, name: str) -> None:
    """Fail with the differing fields unless a body looks like the recorded one of that name."""
    assert shape(value) == RECORDED[name]["body"]


def _list_shape(items: list[Any]) -> Any:
    if not items:
        return "array"
    if not isinstance(items[0], dict):
        return [shape(items[0])]
    together: dict[str, Any] = {}
    for item in items:
        together |= shape(item)
    return [together]
