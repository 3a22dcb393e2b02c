"""Loss and accuracy against what is sent: messages, and bits."""

from typing import Any

import numpy as np
from matplotlib.figure import Figure as Drawing
from matplotlib.lines import Line2D

from . import style
from .event_runs import PUBLISHED, RULES, SYNCHRONOUS, WORKERS, Course, course, images
from .figure import Figure
from .setting import Progress, Setting
from .table import Table, stacked

__all__ = ["FIGURE", "PASSES", "SEEDS", "courses"]

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


def courses(setting: Setting, progress: Progress) -> dict[str, tuple[Course, ...]]:
    """Return the runs of every rule, one for each seed, made or from the cache."""
    passes, seeds = PASSES[setting.budget], SEEDS[setting.budget]
    done = {}
    for number, (name, rule) in enumerate(RULES.items(), start=1):
        done[name] = tuple(course(setting, rule, passes, seed=seed) for seed in range(seeds))
        progress(number, len(RULES))
    return done


def compute(setting: Setting, progress: Progress) -> Table:
    """Loss, accuracy, messages and bits along the runs, means over the seeds."""
    tables = []
    for name, runs in courses(setting, progress).items():
        columns = {
            column: np.mean([getattr(run, column) for run in runs], axis=0)
            for column in ("messages", "volume", "loss", "accuracy", "disagreement")
        }
        place = {"data": images(setting.budget)[0].name, "seeds": len(runs), "rule": name}
        tables.append(Table.of(**place, iteration=runs[0].iteration, **columns))
    return stacked(tables)


def plot(table: Table) -> Drawing:
    """Loss above accuracy, over messages and over bits."""
    figure, axes = style.canvas(style.TWO_COLUMNS, 4.9, rows=2, columns=2, sharey="row")
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
            axis.set(title=f"{name} over {'messages' if cost == 'messages' else 'bits'}", xlabel=words, ylabel=name)
            axis.set(xscale="log", xlim=(LEAST[cost], 1.3))
        axes[2 * row + 1].set(ylabel="")
    axes[2].set(ylim=(0, None))
    style.panel_letters(axes)
    handles = [Line2D([], [], label=name, **look) for name, look in LOOKS.items()]
    figure.legend(handles=handles, loc="outside lower center", ncols=3)
    return figure


FIGURE = Figure(
    name="event-savings",
    title="Loss and accuracy against messages and bits",
    caption=(
        "Softmax regression on contiguous parts of images of digits (MNIST where a local copy is named, else 8x8; "
        f"column data), {WORKERS} workers on a ring with weights 1/3, step 0.05, mini-batches: F and test accuracy of "
        "the workers' average against the messages and the bits sent so far; dots: after all passes, equally many for "
        "every rule. Published trigger: adaptive, horizon 1, 29 forced passes. Constant: of the difference-norm "
        "trigger, nothing forced; A with 0.2 is stuck at once (left end). Values of 32 bits, sparse messages with "
        "indices; choco-event with damping 0.2, far above what its theorem admits. Full: means over 5 seeds."
    ),
    claim="Events save messages at equal passes; at equal loss less, and the average-preserving update saves more.",
    theorems=("eg-stuck", "pullback-cap", "choco-event", "ev-nonconvex"),
    compute=compute,
    plot=plot,
)
