"""Table: data sets, and how much their sparsity is worth."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Drawing
from scipy import sparse

from taciturn.solvers.data import load_mnist, load_svmlight, load_text
from taciturn.solvers.partition import Partition, split_iid
from taciturn.solvers.problems.spectrum import gram_bounds
from taciturn.solvers.sparsity import data_sparsity, estimated_degrees

from . import style
from .adaptive_compression_runs import mnist_is_here
from .figure import Figure
from .setting import Progress, Setting
from .table import Table

__all__ = ["FIGURE", "bag_of_words", "svmlight_files"]

ROWS = {"quick": 10_000, "full": 200_000}
"""Documents of the synthetic sets."""

COLUMNS, DENSITY = 47_236, 0.0016  # of RCV1
LEFT_OUT = 300  # words, in the set without the commonest
WORKERS = 20
DENSE = (2000, 500)

EACH_ROW, BLOCKS = "every row a worker", f"{WORKERS} workers, rows dealt at random"


def svmlight_files() -> tuple[Path, ...]:
    """Return the files of the folder `svmlight` in TACITURN_DATA: they are rows of the table too."""
    folder = os.environ.get("TACITURN_DATA")
    if folder is None:
        return ()
    return tuple(sorted(path for path in Path(folder, "svmlight").glob("*") if path.is_file()))


def bag_of_words(rows: int, columns: int, density: float, offset: float, seed: int) -> Any:
    """Return documents of words drawn from the law p_l ~ 1/(l + offset) of Zipf and Mandelbrot, rows of unit norm.

    Parameters
    ----------
    rows, columns : int
        Documents, and words in all.
    density : float
        Share of the words that a document has in the mean; every document is of equally many draws.
    offset : float
        0: a few words are in nearly every document; large: all words are about equally common.
    seed : int
        Of the draws.

    Returns
    -------
    scipy.sparse.csr_array, shape (rows, columns)

    Examples
    --------
    >>> words = bag_of_words(100, 1000, 0.01, offset=0, seed=0)
    >>> words.shape, bool(0.009 < words.nnz / 1e5 < 0.011)
    ((100, 1000), True)
    """
    law = 1 / (np.arange(1, columns + 1) + offset)
    law /= law.sum()
    draws = density * columns  # fewer are different
    while (different := -np.expm1(draws * np.log1p(-law)).sum()) < density * columns:
        draws *= max(density * columns / different, 1 + 1e-6)
    count = round(draws)
    words = np.searchsorted(np.cumsum(law), np.random.default_rng(seed).random((rows, count))).clip(max=columns - 1)
    starts = np.arange(0, rows * count + 1, count)
    documents = sparse.csr_array((np.ones(rows * count), words.ravel(), starts), shape=(rows, columns))
    documents.sum_duplicates()
    lengths = np.diff(documents.indptr)
    documents.data = np.repeat(1 / np.sqrt(lengths), lengths)
    return documents


def compute(setting: Setting, progress: Progress) -> Table:
    """Sizes and constants of every set; brackets hold for certain, estimates are called so."""
    sets = list(_sets(ROWS[setting.budget]))
    rows = []
    for done, (section, name, matrix) in enumerate(sets, start=1):
        partition = split_iid(matrix.shape[0], WORKERS, seed=0) if section == BLOCKS else None
        rows.append({"section": section, "data": name, **_row(matrix, partition)})
        progress(done, len(sets))
    return Table.of(**{name: [row[name] for row in rows] for name in rows[0]})


def _sets(documents: int) -> Iterator[tuple[str, str, Any]]:
    text = _with_entries(load_text().features)
    yield EACH_ROW, "e-mails", text
    if mnist_is_here():
        yield EACH_ROW, "MNIST, test images", sparse.csr_array(load_mnist(part="test").features)
    for path in svmlight_files():
        yield EACH_ROW, path.name, _with_entries(load_svmlight(path).features)
    for name, offset in (("Zipf", 0), (f"Zipf, {LEFT_OUT} commonest left out", LEFT_OUT), ("all words alike", 1e9)):
        yield EACH_ROW, f"words: {name}", bag_of_words(documents, COLUMNS, DENSITY, offset, seed=0)
    yield EACH_ROW, "dense, Gaussian", sparse.csr_array(np.random.default_rng(0).standard_normal(DENSE))
    yield BLOCKS, "e-mails", text


def _with_entries(matrix: Any) -> Any:
    """The rows that are not empty, each column at most once in each."""
    matrix.sum_duplicates()
    matrix.eliminate_zeros()
    return matrix[np.diff(matrix.indptr) > 0]


def _row(matrix: Any, partition: Partition | None) -> dict[str, Any]:
    """Constants are those of least squares, L_i = |a_i|^2 for a row; other losses have them times their curvature."""
    rows = matrix.shape[0]
    if partition is None:
        weights, L_i = np.full(rows, 1 / rows), np.asarray(matrix.multiply(matrix).sum(axis=1)).ravel()
    else:
        weights, L_i = partition.weights, np.array([_smoothness(matrix[held]) for held in partition.indices])
    found = data_sparsity(matrix, partition, L_i)
    guess = estimated_degrees(matrix, partition).value
    return {
        "workers": found.workers,
        "columns": matrix.shape[1],
        "density": matrix.nnz / (rows * matrix.shape[1]),
        "sigma_coord": found.sigma_coord,
        "sigma_spec_lower": found.sigma_spec.lower,
        "sigma_spec_upper": found.sigma_spec.upper,
        "average_degree_lower": found.average_degree.lower,
        "average_degree_upper": found.average_degree.upper,
        "average_degree_estimate": float(np.mean(guess)),
        "largest_degree_lower": found.largest_degree.lower,
        "largest_degree_upper": found.largest_degree.upper,
        "sigma_published_lower": min(found.sigma_F.lower, found.sigma_Delta.lower),
        "sigma_published_upper": min(found.sigma_F.upper, found.sigma_Delta.upper),
        "L": _smoothness(matrix),
        "L_supp": found.L_supp,
        "L_bar": float(weights @ L_i),
    }


def _smoothness(rows: Any) -> float:
    """L of the mean of (a^T x)^2/2 over rows."""
    dense = rows.toarray() if rows.nnz > 0.1 * rows.shape[0] * rows.shape[1] else rows
    return gram_bounds(dense, np.full(rows.shape[0], 1 / rows.shape[0]))[1]


HEADS = {
    "data": ("", 0.0),
    "workers": ("$n$", 0.36),
    "columns": ("$d$", 0.44),
    "density": ("density", 0.53),
    "sigma_coord": (r"$\sigma_{\rm coord}/n$", 0.625),
    "degree": ("mean degree$/n$\n(estimate)", 0.775),
    "published": ("$\\sigma/n$ as\npublished", 0.885),
    "L_supp": (r"$L_{\rm supp}/\bar L$", 0.965),
    "L": (r"$L/\bar L$", 1.03),
}
"""Head and right end of every column; the first is left-aligned."""


def plot(table: Table) -> Drawing:
    """The table, typeset."""
    sections = table.different("section")
    lines = len(table) + len(sections)
    figure, (axis,) = style.canvas(style.TWO_COLUMNS, 0.17 * (lines + 4))
    axis.set(xlim=(0, HEADS["L"][1]), ylim=(lines + 0.6, -2.6))
    axis.axis("off")
    for name, (head, x) in HEADS.items():
        axis.text(x, -0.9, head, ha=_side(name), va="center", fontsize=8.5, linespacing=1.0)
    for weight, height in ((1.0, -2.4), (0.6, 0.1), (1.0, lines + 0.4)):
        axis.axhline(height, color=style.BLACK, linewidth=weight)
    y = 0.0
    for section in sections:
        axis.text(0, y + 0.75, section, style="italic", va="center")
        y += 1
        part = table.where(section=section)
        for values in zip(*part.columns.values(), strict=True):
            _write(axis, y + 0.75, dict(zip(part.columns, values, strict=True)))
            y += 1
    return figure


def _write(axis: Axes, y: float, row: dict[str, Any]) -> None:
    n = row["workers"]
    estimate = f"{row['average_degree_estimate'] / n:.2g}"
    degree = _between(row["average_degree_lower"] / n, row["average_degree_upper"] / n)
    cells = {
        "data": f"  {row['data']}",
        "workers": f"{n:,}",
        "columns": f"{row['columns']:,}",
        "density": f"{100 * row['density']:.3g} %",
        "sigma_coord": f"{row['sigma_coord'] / n:.2g}",
        "degree": f"{degree} ({estimate})",
        "published": _between(row["sigma_published_lower"] / n, row["sigma_published_upper"] / n),
        "L_supp": f"{row['L_supp'] / row['L_bar']:.2g}",
        "L": f"{row['L'] / row['L_bar']:.2g}",
    }
    for name, text in cells.items():
        axis.text(HEADS[name][1], y, text, ha=_side(name), va="center", fontsize=8.5)


def _between(lower: float, upper: float) -> str:
    low, high = f"{lower:.2g}", f"{upper:.2g}"
    return low if low == high else f"{low}–{high}"


def _side(name: str) -> str:
    return "left" if name == "data" else "right"


FIGURE = Figure(
    name="staleness-data",
    title="Data sets and their sparsity constants",
    caption=(
        "Number of workers n, of columns d, share of entries that are not zero; the exact data-sparsity constant "
        "sigma_coord, the mean degree of the conflict graph (limits that hold for certain, and an estimate from "
        "sketches), min(sigma_F, sigma_Delta) as published, all relative to n = no sparsity; the weighted constant "
        "L_supp and the smoothness L of the sum, relative to the mean of the L_i. E-mails: Spam Assassin, TF-IDF. "
        "Words: documents with the size and density of RCV1, words drawn by Zipf's law, without the commonest, and "
        "all alike. Files in the folder svmlight of TACITURN_DATA are added, MNIST where a copy is there."
    ),
    claim="Sparse data help only where no feature is in most rows; the published constant hardly sees even that.",
    theorems=("sparsity-sigma", "sparsity-order", "sparsity-weighted"),
    compute=compute,
    plot=plot,
)
