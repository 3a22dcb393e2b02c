"""Bits to accuracy against a fixed number of entries, with CAT and with what is guaranteed."""

from collections.abc import Iterator
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure as Drawing
from matplotlib.lines import Line2D
from numpy.typing import ArrayLike

from taciturn.theory import Guarantee, technology, theorem

from . import style
from .adaptive_compression_guarantees import decrease_for_any_gradient, linear_rate
from .adaptive_compression_runs import (
    FLOAT_BITS,
    TEXT,
    TITLES,
    Task,
    Trajectory,
    cat,
    dense,
    dense_cost,
    dynamic,
    fixed,
    plain_cost,
    price,
    problem,
    spread,
    trajectories,
)
from .figure import Figure
from .setting import Progress, Setting
from .table import Table, stacked

__all__ = ["FIGURE", "PRICES", "TARGETS", "grid", "tasks"]

TRIED = {
    "S": (10, 20, 50, 100, 200, 500, 1000, 3000, 10_000),
    "S+Q": (10, 20, 50, 100, 200, 500, 1000, 3000, 10_000),
    "SS": (100, 200, 500, 1000, 3000, 10_000),
}
PRICES = ("plain", "ethernet-udp")
TARGETS = {"S": (0.5, 0.2, 0.1), "S+Q": (0.5, 0.2), "SS": (0.5, 0.2)}
"""Relative gaps that each scheme is run to."""

GUARANTEED = 0.2  # the target that guarantees are shown for

FIXED: dict[str, Any] = {"marker": "o", "markersize": 2.8, "linewidth": 0.9}
FULL: dict[str, Any] = {"marker": "s", "markersize": 4.0, "linestyle": "none"}
TUNED: dict[str, Any] = {"linewidth": 1.8, "alpha": 0.6}
RULE: dict[str, Any] = {"linewidth": 1.1, "linestyle": "-."}
GUARANTEED_FIXED: dict[str, Any] = {"color": style.GREY, "linewidth": 1.0, "linestyle": "--"}
GUARANTEED_CAT: dict[str, Any] = {"color": style.BLACK, "linewidth": 1.0, "linestyle": ":"}


def grid(scheme: str) -> tuple[int, ...]:
    """The fixed T that are tried: round numbers, and what fills one UDP packet and two."""
    d = problem(TEXT).d
    full_packets = technology("ethernet-udp").packets(scheme, d, FLOAT_BITS).last_entries(d)[:2]
    return tuple(T for T in sorted({*TRIED[scheme], *full_packets.tolist()}) if d > T)


def tasks() -> dict[tuple[str, str], Task]:
    """The runs of the figure by scheme and name; other figures and the claims share them."""
    runs = {("S", "full"): dense(0.05)}
    for scheme, targets in TARGETS.items():
        last = min(targets)
        runs |= {(scheme, f"{T}"): fixed(scheme, T, last) for T in grid(scheme)}
        runs |= {(scheme, f"CAT {name}"): cat(scheme, name, 0.05 if scheme == "S" else last) for name in PRICES}
    return runs | {("S+Q", f"dynamic, {scale}"): dynamic(scale, 0.2) for scale in ("published", "optimal")}


def compute(setting: Setting, progress: Progress) -> Table:
    """Bits to all targets, measured and guaranteed."""
    wanted = tasks()
    runs = dict(zip(wanted, trajectories(setting, list(wanted.values()), progress), strict=True))
    return stacked(
        Table.of(price=priced_by, scheme=scheme, **row)
        for priced_by in PRICES
        for scheme in TARGETS
        for row in (*_measured(runs, priced_by, scheme), *_guaranteed(runs, priced_by, scheme))
    )


def _measured(runs: dict[tuple[str, str], Trajectory], priced_by: str, scheme: str) -> Iterator[dict[str, Any]]:
    d = problem(TEXT).d
    cost = price(priced_by, scheme, d)
    for target in TARGETS[scheme]:
        for T in grid(scheme):
            run = runs[scheme, f"{T}"]
            yield {"curve": "fixed", "target": target, "T": T, "bits": run.cost_to(target, cost)}
        full = runs["S", "full"].iterations_to(target) * dense_cost(d, priced_by)
        yield {"curve": "full", "target": target, "T": d, "bits": full}
        tuned = runs[scheme, f"CAT {priced_by}"].cost_to(target)
        yield {"curve": "CAT", "target": target, "T": 0, "bits": tuned}
        if scheme == "S+Q":
            rule = runs[scheme, "dynamic, published"].cost_to(target, cost)
            yield {"curve": "dynamic", "target": target, "T": 0, "bits": rule}


def _guaranteed(runs: dict[tuple[str, str], Trajectory], priced_by: str, scheme: str) -> Iterator[dict[str, Any]]:
    """What theorems promise before the run (fixed T, and CAT whatever the data), and from the sparsity seen in it."""
    where, start, T = problem(TEXT), float(runs["S", "full"].gap[0]), spread(10, problem(TEXT).d, 40)

    def bits(guarantee: Guarantee, each: ArrayLike = 1.0) -> dict[str, Any]:
        return {"target": GUARANTEED, "bits": guarantee.bits(GUARANTEED * start, start, each)}

    rate = linear_rate(scheme, where, decrease_for_any_gradient(scheme, T, where.d))
    yield {"curve": "fixed, guaranteed", "T": T, **bits(rate, price(priced_by, scheme, where.d)(T))}
    if priced_by != "plain" or scheme == "SS":
        return
    cost, run = plain_cost(scheme, where.d), runs[scheme, "CAT plain"]
    known = {"L": where.L, "mu": where.mu, "c0": cost.c0, "c1": cost.c1}
    if scheme == "S":
        yield {
            "curve": "CAT, any data",
            "T": 0,
            **bits(theorem("cat-vs-fixed-worst-case").evaluate(**known, d=where.d)),
        }
        s = run.effective_sparsity[: int(run.iterations_to(GUARANTEED))].max()
        sparse = theorem("cat-bits-sparsity").evaluate(**known, effective_sparsity=s, cost=run.cost.max())
        yield {"curve": "CAT, sparse data", "T": 0, **bits(sparse)}
    else:
        any_data = theorem("cat-sq-bits").evaluate(**known, d=where.d, cost=cost(where.d))
        yield {"curve": "CAT, any data", "T": 0, **bits(any_data)}


def plot(table: Table) -> Drawing:
    """A row for each price, a column for each scheme."""
    prices, schemes = table.different("price"), table.different("scheme")
    figure, axes = style.canvas(
        style.TWO_COLUMNS, 4.8, rows=len(prices), columns=len(schemes), sharex=True, sharey=True
    )
    panels = [(priced_by, scheme) for priced_by in prices for scheme in schemes]
    for axis, (priced_by, scheme) in zip(axes, panels, strict=True):
        _panel(axis, table.where(price=priced_by, scheme=scheme))
        axis.set(title=f"{scheme}, {TITLES[priced_by]}", ylim=(2e3, 2e9))
    for axis in axes[-len(schemes) :]:
        axis.set_xlabel("entries sent, $T$")
    for axis in axes[:: len(schemes)]:
        axis.set_ylabel("bits to the target")
    style.panel_letters(axes)
    _explain(figure, table.different("target"))
    return figure


def _panel(axis: Axes, rows: Table) -> None:
    axis.set(xscale="log", yscale="log")
    bound = rows.where(curve="fixed, guaranteed")
    axis.plot(bound["T"], bound["bits"], **GUARANTEED_FIXED)
    for curve, words in (("CAT, any data", "any data"), ("CAT, sparse data", r"$s(g_k)$ as in the run")):
        for bits in rows.where(curve=curve)["bits"]:
            axis.axhline(bits, **GUARANTEED_CAT)
            style.label_line(axis, 9, 0.8 * bits, words, style.BLACK, va="top")
    for target, colour in zip(rows.different("target"), style.COLOURS, strict=False):
        at = rows.where(target=target)
        line, full = at.where(curve="fixed"), at.where(curve="full")
        axis.axhline(at.where(curve="CAT")["bits"][0], color=colour, **TUNED)
        for bits in at.where(curve="dynamic")["bits"]:
            axis.axhline(bits, color=colour, **RULE)
        axis.plot(line["T"], line["bits"], color=colour, **FIXED)
        axis.plot(full["T"], full["bits"], color=colour, **FULL)


def _explain(figure: Drawing, targets: list[float]) -> None:
    """One legend for all panels: what the marks mean, what the colours mean."""
    marks = {
        "fixed $T$": FIXED,
        "CAT": TUNED,
        "dynamic $T$": RULE,
        "full gradient": FULL,
        f"guaranteed, fixed $T$, target {GUARANTEED}": GUARANTEED_FIXED,
        f"guaranteed, CAT, target {GUARANTEED}": GUARANTEED_CAT,
    }
    handles = [Line2D([], [], label=name, **{"color": style.BLACK, **mark}) for name, mark in marks.items()]
    handles += [
        Line2D([], [], label=f"target {target}", color=colour, linewidth=4.0)
        for target, colour in zip(targets, style.COLOURS, strict=False)
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=3)


FIGURE = Figure(
    name="adaptive-compression-bits",
    title="Bits to accuracy",
    caption=(
        "Bits until F(x) - F* has fallen to the target times its value at the start, against a fixed number of "
        "entries, for sparsification (S), with quantisation (S+Q) and stochastic (SS), billed as payload with a header "
        "of 64 bits and in full UDP packets. Logistic regression on e-mails, d = 26,521, condition number 142, step "
        "1/L (SS: omega/L), 32-bit values. Guarantees before the run: for every fixed T, and for CAT on any data; for "
        "CAT also from the largest effective sparsity seen in the run."
    ),
    claim="CAT needs about as few bits as the best fixed T, without tuning; worst-case guarantees see no gain at all.",
    theorems=(
        "topT-pl-rate",
        "sq-rates",
        "ss-pl-rate",
        "alpha-profile",
        "beta-profile",
        "ss-omega-profile",
        "cat-vs-fixed-worst-case",
        "cat-bits-sparsity",
        "cat-sq-bits",
        "dynamic-T",
    ),  # fmt: skip
    compute=compute,
    plot=plot,
)
