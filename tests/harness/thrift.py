"""What every application of a test process compiles alike is compiled once for all of them.

Each test still has an application, an engine and a database of its own; what they share here are
results of pure functions: of a template's source, a route's rule, a statement and its dialect.
"""

import gc
from collections.abc import Callable
from functools import partial
from typing import Any

import sqlalchemy as sa
from apispec import APISpec
from flask import Flask
from flask_smorest import Blueprint
from jinja2 import BytecodeCache
from jinja2.bccache import Bucket
from werkzeug.routing import Rule

Builder = Callable[..., tuple[str, str]]


class _CompiledTemplates(BytecodeCache):
    """Keeps the code of templates; one whose source has changed is compiled again."""

    def __init__(self) -> None:
        self._codes: dict[tuple[str, str], Any] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        bucket.code = self._codes.get((bucket.key, bucket.checksum))

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._codes[bucket.key, bucket.checksum] = bucket.code


def compile_once() -> None:
    """Let all applications that this process builds from now on share what they compile."""
    Flask.jinja_options = {**Flask.jinja_options, "bytecode_cache": _CompiledTemplates()}
    _keep_builders_of_addresses()
    _describe_the_api_when_asked()


def _keep_builders_of_addresses() -> None:
    """Compile what builds a route's address once: it asks its rule for all but the rule's text."""
    compile_builder = Rule._compile_builder
    kept: dict[tuple[object, ...], Builder] = {}

    def kept_builder(rule: Rule, append_unknown: bool = True) -> Builder:
        key = (rule.rule, rule.subdomain, rule.host, repr(rule.defaults), append_unknown)
        if key not in kept:
            kept[key] = compile_builder(rule, append_unknown)
        return kept[key]

    Rule._compile_builder = kept_builder  # type: ignore[assignment,method-assign]


def _describe_the_api_when_asked() -> None:
    """Draw up the description of an application's API when somebody reads it: few tests do."""
    describe, read = Blueprint.register_views_in_doc, APISpec.to_dict

    def describe_later(*arguments: Any, **options: Any) -> None:
        _blueprint, _api, _app, spec = arguments
        vars(spec).setdefault("for_later", []).append(partial(describe, *arguments, **options))

    def read_described(spec: APISpec) -> dict[str, Any]:
        for describe_it in vars(spec).pop("for_later", []):
            describe_it()
        return read(spec)

    Blueprint.register_views_in_doc = describe_later
    APISpec.to_dict = read_described  # type: ignore[assignment,method-assign]


_dialects: dict[str, sa.Dialect] = {}
_statements: dict[str, dict[Any, Any]] = {}


def share_statements(engine: sa.Engine) -> None:
    """Let an engine of the application use the statements that others of its kind compiled.

    It must have been connected: from its server a dialect learns what SQL to write.
    """
    kind = engine.dialect.name
    engine.dialect = _dialects.setdefault(kind, engine.dialect)  # it is part of a statement's key
    engine.update_execution_options(compiled_cache=_statements.setdefault(kind, {}))


def spare_what_is_imported() -> None:
    """Let the garbage collector pass over all there is now: it stays until the process ends."""
    gc.collect()
    gc.freeze()
