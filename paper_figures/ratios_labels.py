"""Workers with different labels: a relative compressor, top-k, against an absolute one, a common threshold."""

from functools import partial
from typing import Any

import numpy as np
from matplotlib.figure import Figure as Drawing

from taciturn.solvers.partition import split_dirichlet
from taciturn.solvers.problems import LinearModel

from . import ratios_runs as runs
from . import style
from .cache import Arrays
from .figure import Figure
from .setting import Progress, Setting
from .table import Table, stacked

__all__ = ["CONCENTRATIONS", "FIGURE", "METHODS", "WORKERS"]

CONCENTRATIONS = {"quick": (0.1, 0.5, 2.0, 100.0), "full": (0.1, 0.2, 0.5, 1.0, 2.0, 10.0, 100.0)}
WORKERS = 10
KEPT = 0.02
METHODS = ("top-k", "threshold")


def _problem(concentration: float, seed: int, budget: str) -> LinearModel:
    whole, labels = runs.whole(runs.CASES[0], budget)
    return whole.split(split_dirichlet(labels, WORKERS, concentration, seed))


def compute(setting: Setting, progress: Progress) -> Table:
    """Rounds and entries to the target, and the spread of gradients at the minimiser, over the concentration."""
    tasks = [(c, seed) for c in CONCENTRATIONS[setting.budget] for seed in range(runs.SEEDS[setting.budget])]
    tables = []
    for done, (concentration, seed) in enumerate(tasks, start=1):
        where = _problem(concentration, seed, setting.budget)
        at_minimum = where.worker_gradients(where.minimiser)
        difference = float(np.asarray(where.weights) @ np.linalg.norm(at_minimum, axis=-1))
        difference /= float(np.linalg.norm(where.gradient(np.zeros(where.d))))
        for method in METHODS:
            key = {"labels": concentration, "seed": seed, "method": method, "budget": setting.budget}
            inputs = {**key, "backend": setting.backend, "device": setting.device}
            course = runs.Course(**setting.cache.get(partial(_run, setting, where, method), **inputs))
            at = {"concentration": concentration, "seed": seed, "method": method, "difference": difference}
            tables.append(Table.of(**at, rounds=course.iterations, entries=course.entries))
        progress(done, len(tasks))
    return stacked(tables)


def _run(setting: Setting, where: LinearModel, method: str) -> Arrays:
    total = runs.entries(where, KEPT)
    made = runs.top_k(where, 0.0, total) if method == "top-k" else runs.controlled(where, 0.0, total)
    return runs.best_course(setting, where, made)


LOOKS: dict[str, dict[str, Any]] = {
    "top-k": {"color": style.VERMILION, "marker": "o"},
    "threshold": {"color": style.BLUE, "marker": "s"},
}
WORDS = {"top-k": "top-$k$, the same $k$ for all", "threshold": "threshold, the same for all"}


def plot(table: Table) -> Drawing:
    """Rounds, entries, and how different the workers are."""
    figure, axes = style.canvas(style.TWO_COLUMNS, 2.7, columns=3, sharex=True)
    concentrations = table.different("concentration")
    for axis, quantity in zip(axes, ("rounds", "entries"), strict=False):
        for shift, (method, look) in zip((0.93, 1.07), LOOKS.items(), strict=True):
            rows = table.where(method=method)
            values = [rows.where(concentration=c)[quantity] for c in concentrations]
            means = np.array([each[np.isfinite(each)].mean() if np.isfinite(each).any() else np.nan for each in values])
            axis.semilogx(np.array(concentrations) * shift, means, label=WORDS[method], **look)
            for c, each in zip(concentrations, values, strict=True):
                axis.plot(np.full(len(each), c * shift), each, "_", color=look["color"], markersize=5)
    difference = [table.where(concentration=c)["difference"] for c in concentrations]
    axes[2].semilogx(concentrations, [each.mean() for each in difference], color=style.BLACK, marker=".")
    for axis, title in zip(axes, ("rounds to 1 %", "entries to 1 %", "gradients at the minimiser"), strict=True):
        axis.set(title=title, xlabel="Dirichlet concentration of labels", ylim=(0, None))
    axes[0].set(ylabel="rounds")
    axes[1].set(ylabel="entries of all workers")
    axes[2].set(ylabel=r"$\sum p_i\|\nabla f_i(x^*)\|\,/\,\|\nabla F(x_0)\|$")
    style.panel_letters(axes)
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=2)
    return figure


FIGURE = Figure(
    name="ratios-labels",
    title="Relative and absolute compressors for workers with different labels",
    caption=(
        "Rounds and entries of all workers to 1 % of the gap at the start, logistic regression on e-mails dealt to "
        "ten workers with label shares from a Dirichlet distribution (small: a worker has one label and volumes "
        "differ), by error feedback with top-k, 2 % of the entries, and with a common threshold whose controller "
        "holds the same total. Each at its best step of the same grid; ticks: seeds. Last: mean norm of the workers' "
        "gradients at the minimiser, which bounds for top-k depend on and bounds for thresholds do not."
    ),
    claim="Whether absolute compressors are more robust to different data than relative ones.",
    theorems=("nuef-absolute", "nuef-nonconvex", "thr-memory"),
    compute=compute,
    plot=plot,
)
