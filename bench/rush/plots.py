"""The picture of a drill: six panels on one time axis, seconds since the opening."""

import itertools
from collections import Counter, defaultdict
from collections.abc import Callable
from pathlib import Path

import matplotlib

matplotlib.use("svg")  # no screen is needed, and none is looked for
from matplotlib import pyplot as plt
from matplotlib.axes import Axes

from bench.rush.drill import Outcome
from bench.rush.summary import by_second, percentile

WIDTH, PANEL_HEIGHT = 11.0, 2.5  # inches
BLUE, ORANGE, GREEN, RED, GREY, PURPLE, BROWN = (
    "#0072b2",
    "#e69f00",
    "#009e73",
    "#d55e00",
    "#8c8c8c",
    "#9467bd",
    "#8c564b",
)
# Told apart by everybody, also without red and green (Okabe and Ito's palette and three more).
PARTS = {
    "web": BLUE,
    "database": ORANGE,
    "worker-1": GREEN,
    "worker-2": "#7fcdb5",
    "standin": PURPLE,
    "mailbox": BROWN,
    "client": GREY,
}
NEWS_AT_LEAST = 3  # answers in a second before their percentiles are drawn

Panel = Callable[[Axes, Outcome], None]


def draw(outcome: Outcome, path: Path) -> None:
    """Draw all panels into one file; its suffix says the format."""
    panels: tuple[Panel, ...] = (_arrivals, _seats, _invoices, _latencies, _refusals, _cpu)
    size = (WIDTH, PANEL_HEIGHT * len(panels))
    with plt.rc_context({"font.size": 9, "axes.spines.top": False, "axes.spines.right": False}):
        figure, axes = plt.subplots(len(panels), sharex=True, figsize=size, layout="constrained")
        for axis, panel in zip(axes, panels, strict=True):
            panel(axis, outcome)
            axis.set_ylim(bottom=0)
            axis.grid(visible=True, alpha=0.25)
            axis.legend(  # beside the title: in the panel it would hide what it explains
                loc="lower right", bbox_to_anchor=(1, 1), ncols=8, fontsize=8, frameon=False
            )
        axes[-1].set_xlabel("seconds since the opening")
        axes[-1].set_xlim(left=0)
        figure.savefig(path)
        plt.close(figure)


def _say(axis: Axes, title: str, unit: str) -> None:
    axis.set_title(title, loc="left", fontweight="bold")
    axis.set_ylabel(unit)


def _arrivals(axis: Axes, outcome: Outcome) -> None:
    book = outcome.book
    arrived, asked = Counter(map(int, book.arrivals)), Counter(int(a.at) for a in book.answers)
    seconds = range(int(max(asked, default=0)) + 1)
    axis.step(seconds, [arrived[s] for s in seconds], color=BLUE, where="post", label="buyers come")
    axis.step(seconds, [asked[s] for s in seconds], color=GREY, where="post", label="requests sent")
    _say(axis, "Arrivals and requests", "a second")


def _seats(axis: Axes, outcome: Outcome) -> None:
    times: list[float] = []
    held: list[int] = []
    sold: list[int] = []
    for asked, samples in itertools.groupby(outcome.samples.stock, key=lambda s: s.asked):
        stocks = list(samples)
        times.append(asked)
        held.append(sum(stock.held for stock in stocks))
        sold.append(sum(stock.sold for stock in stocks))
    axis.stackplot(times, sold, held, labels=("sold", "held"), colors=(GREEN, ORANGE))
    axis.axhline(outcome.plan.seats, color="black", linewidth=1, linestyle="--", label="all seats")
    released = [order.ended for order in outcome.ledger.orders if order.ended is not None]
    top = outcome.plan.seats * 1.1
    axis.eventplot(
        released, lineoffsets=top, linelengths=top / 15, colors=RED, label="a hold is released"
    )
    _say(axis, "Seats", "seats")


def _invoices(axis: Axes, outcome: Outcome) -> None:
    creates = sorted(call.at for call in outcome.ledger.creates())
    last_minute = [
        sum(at - 60 < each <= at for each in creates[: n + 1]) for n, at in enumerate(creates)
    ]
    axis.plot(creates, last_minute, color=BLUE, label="made in the last 60 s")
    limit = outcome.plan.calls_per_minute
    axis.axhline(limit, color="black", linewidth=1, linestyle="--", label="Xendit's limit")
    axis.plot(
        *_columns([(line.at, line.length) for line in outcome.samples.line]),
        color=ORANGE,
        label="orders in line",
    )
    _say(axis, "Invoices against the budget", "invoices, orders")


def _latencies(axis: Axes, outcome: Outcome) -> None:
    every = by_second((answer.at, answer.seconds) for answer in outcome.book.answers)
    every = {second: values for second, values in every.items() if len(values) >= NEWS_AT_LEAST}
    for share, color in ((50, BLUE), (95, ORANGE), (99, RED)):
        values = [percentile(each, share) for each in every.values()]
        axis.plot(list(every), values, color=color, label=f"p{share}", linewidth=1.2)
    _say(axis, "Answers, by the second in which they were asked for", "seconds")


def _refusals(axis: Axes, outcome: Outcome) -> None:
    told = Counter(int(no.at) for no in outcome.book.no)
    statuses = Counter((int(a.at + a.seconds), a.status) for a in outcome.book.answers)
    knew = Counter(int(loser.heard[0][1]) for loser in outcome.book.losers)
    seconds = range(int(outcome.book.answers[-1].at if outcome.book.answers else 0) + 1)
    series = {
        ("told that seats are gone", ORANGE): [told[s] for s in seconds],
        ("a loser hears it first", BLUE): [knew[s] for s in seconds],
        ("503", RED): [statuses[s, 503] for s in seconds],
        ("429", PURPLE): [statuses[s, 429] for s in seconds],
    }
    for (label, color), values in series.items():
        axis.step(seconds, values, where="post", color=color, label=label)
    _say(axis, "Refusals", "a second")


def _cpu(axis: Axes, outcome: Outcome) -> None:
    used: dict[str, list[float]] = defaultdict(list)
    times: list[float] = []
    for (then, before), (now, after) in itertools.pairwise(outcome.samples.cpu):
        times.append(then)
        for name in PARTS:
            spent = max(0.0, after.get(name, 0.0) - before.get(name, 0.0))
            used[name].append(spent / (now - then))
    layers = [used[name] for name in PARTS]
    axis.stackplot(times, layers, labels=list(PARTS), colors=list(PARTS.values()), step="post")
    _say(axis, "Processor time", "cores")


def _columns(pairs: list[tuple[float, int]]) -> tuple[list[float], list[int]]:
    return [at for at, _ in pairs], [value for _, value in pairs]
