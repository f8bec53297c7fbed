"""Following the links of the office, from page to page, as somebody curious would."""

import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from flask import Flask
from flask.testing import FlaskClient

from app.extensions import db
from tests.harness.statements import Spoken, listening
from tests.pages.html import Page

# The first of them lead to what can be done with an order and with a day.
START = ("/staff/finance/days", "/staff/orders?state=PAID", "/staff")
A_RULE = 3  # so many addresses of each are visited: of orders there are hundreds


@dataclass(frozen=True)
class Visit:
    """A page that was asked for: its rule, what it said to the database, how long it took."""

    address: str
    rule: str
    spoken: Spoken
    seconds: float


def crawl(client: FlaskClient) -> Iterator[Visit]:
    """Yield a visit for each page that links lead to, A_RULE of each rule."""
    app = client.application
    with app.app_context():
        engine = db.engine
    queue, visits = list(START), Counter[str]()
    seen = set(queue)
    while queue:
        address = queue.pop(0)
        rule = _rule_of(app, address.split("?")[0])
        visits[rule] += 1
        if visits[rule] > A_RULE:
            continue
        began = time.perf_counter()
        with listening(engine) as spoken:
            answer = client.get(address)
        yield Visit(address, rule, spoken, time.perf_counter() - began)
        if answer.status_code != 200 or answer.mimetype != "text/html":
            continue
        links = [str(anchor.attributes.get("href")) for anchor in Page(answer).all("a")]
        for link in (each for each in links if each.startswith("/staff") and each not in seen):
            seen.add(link)
            queue.append(link)


def _rule_of(app: Flask, path: str) -> str:
    rule, _ = app.url_map.bind("localhost").match(path, return_rule=True)
    return rule.rule
