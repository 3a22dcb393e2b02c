"""Share of messages that the published rule sends, against the number of workers, and what is in it."""

import numpy as np
from matplotlib.figure import Figure as Drawing

from . import style
from .event_horizon import null_share
from .event_runs import AVERAGE_PRESERVING, FORCED, PUBLISHED, RULES, SYNCHRONOUS, course, images, task
from .figure import Figure
from .setting import Progress, Setting
from .table import Table, stacked

__all__ = ["EPOCHS", "FIGURE", "WORKERS"]

WORKERS = (4, 8, 16, 32)
EPOCHS = {"quick": 20, "full": 100}
SHOWN = (SYNCHRONOUS, PUBLISHED, AVERAGE_PRESERVING)


def compute(setting: Setting, progress: Progress) -> Table:
    """Shares of messages, with and without the forced ones, loss and accuracy after equally many epochs."""
    tables = []
    walk = null_share(1.0, seed=0)
    for number, workers in enumerate(WORKERS, start=1):
        passes = task(workers, setting.budget).passes(EPOCHS[setting.budget])
        for name in SHOWN:
            run = course(setting, RULES[name], passes, workers)
            place = {"data": images(setting.budget)[0].name, "rule": name, "workers": workers, "passes": passes}
            tables.append(
                Table.of(
                    **place,
                    share=run.message_share,
                    after_forced=run.share_after_forced,
                    forced=FORCED / passes,
                    random_walk=walk,
                    loss=float(run.loss[-1]),
                    accuracy=float(run.accuracy[-1]),
                )
            )
        progress(number, len(WORKERS))
    return stacked(tables)


def plot(table: Table) -> Drawing:
    """Shares with the forced part and the null model; loss; accuracy."""
    figure, axes = style.canvas(style.TWO_COLUMNS, 2.6, columns=3, width_ratios=(1.5, 1, 1))
    n = np.array(table.different("workers"))
    published = table.where(rule=PUBLISHED)
    share = axes[0]
    share.bar(np.log2(n), published["forced"], 0.6, color="#D9D9D9", label="forced")
    share.plot(np.log2(n), published["share"], "o-", color=style.VERMILION, label="A, all messages")
    share.plot(np.log2(n), published["after_forced"], "o--", color=style.VERMILION, label="A, after the forced")
    rows = table.where(rule=AVERAGE_PRESERVING)
    share.plot(np.log2(n), rows["after_forced"], "s--", color=style.BLUE, label="B, after the forced")
    share.axhline(published["random_walk"][0], color=style.BLACK, linestyle=":", label="random walk")
    share.axhline(0.3, color=style.GREY, linewidth=0.8, linestyle=(0, (1, 3)), label="paper, about")
    share.set(title="share of messages", xlabel="workers $n$", ylabel="messages / all", ylim=(0, 1.0))
    share.legend(loc="upper left", ncols=2, fontsize=7.5, columnspacing=0.8)
    looks = ((SYNCHRONOUS, style.BLACK, "-"), (PUBLISHED, style.VERMILION, "-"), (AVERAGE_PRESERVING, style.BLUE, "--"))
    for axis, column, words in ((axes[1], "loss", "loss of the average"), (axes[2], "accuracy", "test accuracy")):
        for rule, colour, line in looks:
            rows = table.where(rule=rule)
            axis.plot(np.log2(n), rows[column], "o", color=colour, linestyle=line, label=rule)
        axis.set(title=words, xlabel="workers $n$", ylabel=words)
    axes[1].legend(loc="upper left", fontsize=7.5)
    for axis in axes:
        axis.set_xticks(np.log2(n), [str(workers) for workers in n])
    style.panel_letters(axes)
    return figure


FIGURE = Figure(
    name="event-workers",
    title="Messages against the number of workers",
    caption=(
        "Softmax regression on digits (column data), rings of 4 to 32 workers, equally many epochs: the more workers, "
        "the fewer passes. (a) Share of messages of the published trigger, with and without the 29 forced passes, and "
        "of the same rule on norms that are Gaussian random walks, no learning involved. (b) F of the average after "
        "the last pass. (c) Its test accuracy."
    ),
    claim="What is saved beyond the forced passes hardly depends on n, and is what the rule saves on any such norm.",
    theorems=("adaptive-invariance", "horizon-lockout"),
    compute=compute,
    plot=plot,
)
