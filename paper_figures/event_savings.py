"""Loss and accuracy against what is sent: messages, and bits."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Drawing
from matplotlib.lines import Line2D

from . import style
from .event_runs import NETWORK_RULES, PUBLISHED, RULES, SYNCHRONOUS, WORKERS, Course, course
from .event_tasks import CNN2, MODELS, SOFTMAX, images, models, network_passes
from .figure import Figure
from .setting import Progress, Setting
from .table import Table, stacked

__all__ = ["BAR", "FIGURE", "PASSES", "SEEDS", "accuracy_handles", "courses", "mark_workers"]

PASSES = {"quick": 300, "full": 1500}
SEEDS = {"quick": 1, "full": 5}

LOOKS: dict[str, dict[str, Any]] = {
    SYNCHRONOUS: {"color": style.BLACK},
    PUBLISHED: {"color": style.VERMILION},
    "A, constant 0.2": {"color": style.ORANGE},
    "B, published trigger": {"color": style.BLUE, "linestyle": (0, (5, 1.2))},
    "B, constant 0.2": {"color": style.BLUE},
    "B, constant 1": {"color": style.SKY},
    "top 10 % always, A": {"color": style.GREY},
    "top 10 % at events, A": {"color": style.PURPLE},
    "choco-event, top 10 %": {"color": style.GREEN},
}

LEAST = {"messages": 2e-3, "volume": 3e-4}
"""Left ends of the axes; what is less lies there."""

BAR = 7.0
"""Length of the bars that stand for the workers."""


def courses(setting: Setting, progress: Progress, model: str = SOFTMAX) -> dict[str, tuple[Course, ...]]:
    """Return the runs of every rule, one for each seed, made or from the cache."""
    softmax = model == SOFTMAX
    passes = PASSES[setting.budget] if softmax else network_passes(WORKERS, setting.budget, model)
    rules = tuple(RULES) if softmax else NETWORK_RULES[model]
    done = {}
    for number, name in enumerate(rules, start=1):
        seeds = range(SEEDS[setting.budget])
        done[name] = tuple(course(setting, RULES[name], passes, seed=seed, model=model) for seed in seeds)
        progress(number, len(rules))
    return done


def compute(setting: Setting, progress: Progress) -> Table:
    """Loss, accuracy, messages and bits along the runs, means over the seeds."""
    tables: list[Table] = []
    shown = models(SOFTMAX, CNN2)
    total = sum(len(NETWORK_RULES.get(model, RULES)) for model in shown)

    def count(done: int, of: int) -> None:
        del of
        progress(before + done, total)

    for model in shown:
        before = len(tables)
        for name, runs in courses(setting, count, model).items():
            columns = {
                column: np.mean([getattr(run, column) for run in runs], axis=0)
                for column in ("messages", "volume", "loss", "accuracy", "workers_accuracy", "disagreement")
            }
            place = {"data": images(setting.budget)[0].name, "seeds": len(runs), "model": model, "rule": name}
            tables.append(Table.of(**place, iteration=runs[0].iteration, **columns))
    return stacked(tables)


def plot(table: Table) -> Drawing:
    """Loss above accuracy, over messages and over bits, of one model below the other."""
    shown = table.different("model")
    height = 4.4 * len(shown) + 0.5
    figure, axes = style.canvas(style.TWO_COLUMNS, height, rows=2 * len(shown), columns=2, sharey="row")
    for place, model in enumerate(shown):
        _draw(axes[4 * place : 4 * place + 4], table.where(model=model), MODELS[model])
    style.panel_letters(axes)
    handles = [Line2D([], [], label=name, **look) for name, look in LOOKS.items()]
    figure.legend(handles=handles, loc="outside lower center", ncols=3)
    return figure


def _draw(axes: list[Axes], table: Table, model: str) -> None:
    spent = {
        "messages": "messages / messages of sending always",
        "volume": "bits / bits of sending everything always",
    }
    for row, (column, name) in enumerate((("loss", "loss of the average"), ("accuracy", "test accuracy"))):
        for place, (cost, words) in enumerate(spent.items()):
            axis = axes[2 * row + place]
            for rule in table.different("rule"):
                rows = table.where(rule=rule)
                sent = np.maximum(rows[cost], LEAST[cost])
                axis.plot(sent[1:], rows[column][1:], **LOOKS[rule])
                axis.plot(sent[-1], rows[column][-1], "o", color=LOOKS[rule]["color"], markersize=3.5, clip_on=False)
                if column == "accuracy":
                    mark_workers(axis, sent[-1], rows, LOOKS[rule]["color"])
            axis.set(title=f"{model}: {column} over {'messages' if cost == 'messages' else 'bits'}")
            axis.set(xlabel=words, ylabel=name, xscale="log", xlim=(LEAST[cost], 1.3))
        axes[2 * row + 1].set(ylabel="")
    axes[2].set(ylim=(0, None))
    axes[2].legend(handles=accuracy_handles(), loc="lower right")


def accuracy_handles() -> list[Line2D]:
    """What dots and bars in panels of accuracies are, for a legend."""
    plain: dict[str, Any] = {"color": style.GREY, "linestyle": "none"}
    return [
        Line2D([], [], marker="o", label="of the average", **plain),
        Line2D([], [], marker="_", label="of the workers, mean", markersize=BAR, **plain),
    ]


def mark_workers(axis: Axes, x: float, rows: Table, colour: str) -> None:
    """Mark the mean of the workers' accuracies at the end of a run by a bar, and join it to that of their average."""
    average, workers = (float(rows[column][-1]) for column in ("accuracy", "workers_accuracy"))
    axis.plot([x, x], [average, workers], color=colour, linewidth=0.7, linestyle=":", clip_on=False)
    axis.plot(x, workers, "_", color=colour, markersize=BAR, clip_on=False)


FIGURE = Figure(
    name="event-savings",
    title="Loss and accuracy against messages and bits",
    caption=(
        "Softmax regression and, where torch is, the published CNN-2 of 27,480 parameters in 8 tensors, on contiguous "
        "parts of images of digits (MNIST where a local copy is named, else 8x8, for the network enlarged to 28x28 and "
        f"standardised; column data), {WORKERS} workers on a ring with weights 1/3, step 0.05, mini-batches: F (of the "
        "network on the first rows of every worker) and test accuracy of the workers' average against the messages "
        "and the bits sent so far; dots: after all passes, equally many for every rule; bars: mean of the workers' own "
        "accuracies then. Published trigger: adaptive, horizon 1, 29 forced passes. Constant: of the difference-norm "
        "trigger, nothing forced; A with 0.2 is stuck at once (left end). Values of 32 bits, sparse messages with "
        "indices; choco-event with damping 0.2, far above what its theorem admits. Full: means over 5 seeds."
    ),
    claim="Events save messages at equal passes; at equal loss less, and the average-preserving update saves more.",
    theorems=("eg-stuck", "pullback-cap", "choco-event", "ev-nonconvex"),
    compute=compute,
    plot=plot,
)
