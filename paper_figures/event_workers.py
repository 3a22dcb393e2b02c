"""Share of messages that the published rule sends, against the number of workers, and what is in it."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Drawing

from . import style
from .event_horizon import null_share
from .event_runs import AVERAGE_PRESERVING, FORCED, PUBLISHED, RULES, SYNCHRONOUS, course
from .event_savings import BAR, accuracy_handles
from .event_tasks import CNN2, MODELS, SOFTMAX, images, models, network_passes, task
from .figure import Figure
from .setting import Progress, Setting
from .table import Table, stacked

__all__ = ["EPOCHS", "FIGURE", "WORKERS"]

WORKERS = (4, 8, 16, 32)
EPOCHS = {"quick": 20, "full": 100}
SHOWN = {SOFTMAX: (SYNCHRONOUS, PUBLISHED, AVERAGE_PRESERVING), CNN2: (SYNCHRONOUS, PUBLISHED)}


def compute(setting: Setting, progress: Progress) -> Table:
    """Shares of messages, with and without the forced ones, loss and accuracy after equally many epochs."""
    tables = []
    walk = null_share(1.0, seed=0)
    cases = [(model, workers) for model in models(*SHOWN) for workers in WORKERS]
    for number, (model, workers) in enumerate(cases, start=1):
        passes = _passes(workers, setting.budget, model)
        for name in SHOWN[model]:
            run = course(setting, RULES[name], passes, workers, model=model)
            place = {"data": images(setting.budget)[0].name, "model": model, "rule": name, "workers": workers}
            tables.append(
                Table.of(
                    **place,
                    passes=passes,
                    share=run.message_share,
                    after_forced=run.share_after_forced,
                    bits=float(run.volume[-1]),
                    forced=FORCED / passes,
                    random_walk=walk,
                    loss=float(run.loss[-1]),
                    accuracy=float(run.accuracy[-1]),
                    workers_accuracy=float(run.workers_accuracy[-1]),
                )
            )
        progress(number, len(cases))
    return stacked(tables)


def _passes(workers: int, budget: str, model: str) -> int:
    if model == SOFTMAX:
        return task(workers, budget).passes(EPOCHS[budget])
    return network_passes(workers, budget, model)


def plot(table: Table) -> Drawing:
    """Shares with the forced part and the null model; loss; accuracy; a row for every model."""
    shown = table.different("model")
    ratios = (1.5, 1, 1)
    figure, axes = style.canvas(style.TWO_COLUMNS, 2.6 * len(shown), rows=len(shown), columns=3, width_ratios=ratios)
    for place, model in enumerate(shown):
        _draw(axes[3 * place : 3 * place + 3], table.where(model=model), MODELS[model])
    style.panel_letters(axes)
    return figure


def _draw(axes: list[Axes], table: Table, model: str) -> None:
    n = np.array(table.different("workers"))
    published = table.where(rule=PUBLISHED)
    share = axes[0]
    share.bar(np.log2(n), published["forced"], 0.6, color="#D9D9D9", label="forced")
    share.plot(np.log2(n), published["share"], "o-", color=style.VERMILION, label="A, all messages")
    share.plot(np.log2(n), published["after_forced"], "o--", color=style.VERMILION, label="A, after the forced")
    rows = table.where(rule=AVERAGE_PRESERVING)
    if len(rows):
        share.plot(np.log2(n), rows["after_forced"], "s--", color=style.BLUE, label="B, after the forced")
    share.axhline(published["random_walk"][0], color=style.BLACK, linestyle=":", label="random walk")
    share.axhline(0.3, color=style.GREY, linewidth=0.8, linestyle=(0, (1, 3)), label="paper, about")
    share.set(title=f"{model}: messages", xlabel="workers $n$", ylabel="messages / all", ylim=(0, 1.0))
    share.legend(loc="upper left", ncols=2, fontsize=7.5, columnspacing=0.8)
    for axis, column, words in ((axes[1], "loss", "loss of the average"), (axes[2], "accuracy", "test accuracy")):
        for rule in table.different("rule"):
            rows = table.where(rule=rule)
            axis.plot(np.log2(n), rows[column], "o", label=rule, **LOOKS[rule])
            if column == "accuracy":
                bars: dict[str, Any] = {"color": LOOKS[rule]["color"], "linewidth": 0.7, "linestyle": ":"}
                axis.plot(np.log2(n), rows["workers_accuracy"], marker="_", markersize=BAR, **bars)
        axis.set(title=words, xlabel="workers $n$", ylabel=words)
    axes[1].legend(loc="lower right", fontsize=7.5, handlelength=1.0, borderaxespad=0.1)
    axes[2].legend(handles=accuracy_handles(), loc="lower left", fontsize=7.5)
    for axis in axes:
        axis.set_xticks(np.log2(n), [str(workers) for workers in n])


LOOKS: dict[str, dict[str, Any]] = {
    SYNCHRONOUS: {"color": style.BLACK, "linestyle": "-"},
    PUBLISHED: {"color": style.VERMILION, "linestyle": "-"},
    AVERAGE_PRESERVING: {"color": style.BLUE, "linestyle": "--"},
}


FIGURE = Figure(
    name="event-workers",
    title="Messages against the number of workers",
    caption=(
        "Softmax regression and, where torch is, CNN-2 on digits (column data), rings of 4 to 32 workers, equally many "
        "epochs: the more workers, the fewer passes. (a), (d) Share of messages of the published trigger, with and "
        "without the 29 forced passes, and of the same rule on norms that are Gaussian random walks, no learning "
        "involved. (b), (e) F of the average after the last pass, of CNN-2 on the first rows of every worker. "
        "(c), (f) Its test accuracy (dots), and the mean of the workers' own (bars)."
    ),
    claim="What is saved beyond the forced passes hardly depends on n, and is what the rule saves on any such norm.",
    theorems=("adaptive-invariance", "horizon-lockout"),
    compute=compute,
    plot=plot,
)
