"""Share of messages over the horizon of the adaptive threshold: of training, and of norms without any training."""

from functools import cache
from typing import Any

import numpy as np
from matplotlib.figure import Figure as Drawing

from taciturn.solvers.decentralised import Constant, DifferenceNorm
from taciturn.theory import theorem
from taciturn.verification.norm_paths import event_pattern, published

from . import style
from .event_runs import RULES, SYNCHRONOUS, WORKERS, Rule, course
from .event_tasks import CNN2, SOFTMAX, images, models, network_passes
from .figure import Figure
from .setting import Progress, Setting
from .table import Table, stacked

__all__ = ["CURVES", "FIGURE", "HORIZONS", "null_share"]

HORIZONS = {
    "quick": (0.5, 0.8, 0.9, 1.0, 1.02, 1.05, 1.2, 1.4, 1.5),
    "full": (0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95, 0.98, 1.0, 1.01, 1.02, 1.05, 1.1, 1.2, 1.3, 1.4, 1.44, 1.45, 1.5),
}
NETWORK_HORIZONS = {"quick": (0.5, 1.0, 1.05, 1.5), "full": (0.5, 0.8, 0.9, 1.0, 1.02, 1.05, 1.2, 1.5)}
CONSTANTS = (0.01, 0.05, 0.1, 0.2, 1.0)
PASSES = {"quick": 120, "full": 1000}
WALKS, STEPS, SETTLED = 60, 1500, 500
"""Of the null model: paths, passes, and those that are not counted."""


@cache
def null_share(horizon: float, seed: int) -> float:
    """Return the share of passes in which the rule fires on Gaussian random walks: no learning involved.

    Examples
    --------
    >>> 0.36 < null_share(1.0, seed=0) < 0.42
    True
    """
    steps = np.random.default_rng(seed).normal(size=(STEPS, WALKS))
    # So far from zero that a walk is its own norm.
    return float(event_pattern(1e6 + np.cumsum(steps, axis=0), published(horizon))[SETTLED:].mean())


def _steady_share(horizon: float) -> float:
    """The same of a norm that grows by the same amount in every pass."""
    return float(event_pattern(np.arange(float(STEPS))[:, None], published(horizon))[SETTLED:].mean())


CURVES = {"A": (SOFTMAX, "published"), "B": (SOFTMAX, "average-preserving"), "A, CNN-2": (CNN2, "published")}
"""Models and updates that are trained."""

NAMES = {"A": "A, softmax", "B": "B, softmax"}


def compute(setting: Setting, progress: Progress) -> Table:
    """Shares of messages after the forced passes and losses, over horizons and over constant thresholds."""
    budget = setting.budget
    passes = {
        model: PASSES[budget] if model == SOFTMAX else network_passes(WORKERS, budget, model)
        for model in models(SOFTMAX, CNN2)
    }
    wanted = [
        (curve, "adaptive", x, Rule(published(x), CURVES[curve][1]))
        for curve in CURVES
        for x in (HORIZONS if CURVES[curve][0] == SOFTMAX else NETWORK_HORIZONS)[budget]
    ] + [
        (curve, "constant", x, Rule(DifferenceNorm(Constant(x)), CURVES[curve][1]))
        for curve in ("A", "B")
        for x in CONSTANTS
    ]
    wanted = [row for row in wanted if CURVES[row[0]][0] in passes]
    tables = [
        Table.of(rule="adaptive", curve=curve, x=horizon, share=share, loss=np.nan, synchronous_loss=np.nan)
        for horizon in HORIZONS[budget]
        for curve, share in (("random walk", null_share(horizon, 0)), ("steady growth", _steady_share(horizon)))
    ]
    for number, (curve, kind, x, rule) in enumerate(wanted, start=1):
        model = CURVES[curve][0]
        run, always = (course(setting, each, passes[model], model=model) for each in (rule, RULES[SYNCHRONOUS]))
        found = {
            "share": run.share_after_forced,
            "loss": float(run.loss[-1]),
            "synchronous_loss": float(always.loss[-1]),
        }
        tables.append(Table.of(rule=kind, curve=curve, x=x, **found))
        progress(number, len(wanted))
    limit = float(np.asarray(theorem("horizon-lockout").evaluate().value))
    return Table.of(data=images(budget)[0].name, limit=limit, **stacked(tables).columns)


LOOKS: dict[str, dict[str, Any]] = {
    "A": {"color": style.VERMILION, "marker": "o"},
    "B": {"color": style.BLUE, "marker": "s"},
    "A, CNN-2": {"color": style.PURPLE, "marker": "^"},
    "random walk": {"color": style.BLACK, "linestyle": ":"},
    "steady growth": {"color": style.GREY, "linestyle": "--"},
}


def plot(table: Table) -> Drawing:
    """Share over the horizon, loss over the horizon, and loss over the share for both kinds of thresholds."""
    figure, axes = style.canvas(style.TWO_COLUMNS, 2.7, columns=3)
    adaptive = table.where(rule="adaptive")
    limit = float(table["limit"][0])
    for curve in (name for name in LOOKS if name in adaptive.different("curve")):
        look, rows = LOOKS[curve], adaptive.where(curve=curve)
        axes[0].plot(rows["x"], rows["share"], label=NAMES.get(curve, curve), markersize=3.0, **look)
        if curve not in CURVES:
            continue
        axes[1].plot(rows["x"], rows["loss"] / rows["synchronous_loss"], markersize=3.0, **look)
        for rule, filled in (("adaptive", "full"), ("constant", "none")):
            some = table.where(rule=rule, curve=curve)
            if CURVES[curve][0] == SOFTMAX:
                axes[2].plot(
                    some["share"],
                    some["loss"] / some["synchronous_loss"],
                    label=f"{curve}, {rule}",
                    **{**look, "linestyle": "none", "fillstyle": filled},
                )
    axes[0].text(limit - 0.01, 0.99, r"$3^{1/3}$", ha="right", va="top", fontsize=8.0)
    axes[0].set(title="share of messages", xlabel="horizon $h$", ylabel="messages after the forced / all")
    axes[0].set(ylim=(-0.02, 1.04))
    axes[0].legend(loc="lower left", fontsize=7.5)
    axes[1].set(title="loss", xlabel="horizon $h$", yscale="log")
    axes[2].set(title="loss over messages", xlabel="messages after the forced / all")
    axes[2].legend(loc="upper right", fontsize=7.5)
    for axis in axes[:2]:
        axis.axvline(limit, color=style.GREY, linewidth=0.8)
    for axis in axes[1:]:
        axis.axhline(1, color=style.BLACK, linewidth=0.8)
        axis.set(ylabel="loss / loss of D-PSGD")
    style.panel_letters(axes)
    return figure


FIGURE = Figure(
    name="event-horizon",
    title="Horizon of the adaptive threshold",
    caption=(
        "(a) Share of the messages after the 29 forced passes of the published trigger in softmax regression (A, B) "
        "and, where torch is, CNN-2, on digits (column data, 8 workers on a ring), and of the same rule on norms "
        "without any learning: Gaussian random walks and steady growth, which falls silent beyond the line. (b) F of "
        "the average after the last pass over that of D-PSGD, of CNN-2 on the first rows of every worker. (c) The "
        "same of softmax regression over the messages, with constant thresholds of the difference-norm trigger from "
        f"{CONSTANTS[0]:g} to {CONSTANTS[-1]:g} beside; those force nothing."
    ),
    claim="The share of messages is that of norms of any origin, and beyond h = 1 the rule falls silent.",
    theorems=("horizon-lockout", "adaptive-invariance", "eg-stuck"),
    compute=compute,
    plot=plot,
)
