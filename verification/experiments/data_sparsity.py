"""Data sparsity of the bundled text and of a random matrix: gradients of workers that hold rows (dossier 2.2-2.3)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from types import MappingProxyType
from typing import Any

import numpy as np
from scipy import sparse

from taciturn.solvers.array import Stream
from taciturn.solvers.compressors import RandK
from taciturn.solvers.data import load_text
from taciturn.solvers.partition import Partition, split_iid
from taciturn.solvers.problems import LinearModel, logistic_regression
from taciturn.solvers.sparsity import data_sparsity, exact_data_sparsity
from taciturn.theory.theorem import Theorem

from ..attacks.functions import square
from ..attacks.measures import stated
from ..evidence import Budget
from .comparison import Comparison, Experiment, sampled, worst

__all__ = ["EXPERIMENTS"]


@cache
def _problems() -> Mapping[str, tuple[LinearModel, Any, Partition]]:
    """Return logistic regressions without regulariser, which would fill every support, with their rows and split."""
    text, rng = load_text().features, np.random.default_rng(0)
    frequent = np.sort(np.argsort(-np.bincount(text.indices), kind="stable")[:1000])
    messages = sparse.csr_array(text[::15][:, frequent])
    messages = messages[np.diff(messages.indptr) > 0]
    popular = rng.random((300, 500)) < 5 / (np.arange(500) + 10)
    popular[np.arange(300), rng.integers(500, size=300)] = True
    random = sparse.csr_array(np.where(popular, rng.standard_normal(popular.shape), 0.0))
    cases = {}
    for name, matrix in (("text", messages), ("random matrix", random)):
        labels = rng.choice([-1.0, 1.0], size=matrix.shape[0])
        for workers in (10, matrix.shape[0]):
            split = split_iid(len(labels), workers, seed=0)
            problem = logistic_regression(matrix, labels, 0.0).split(split)
            cases[f"{name}, {workers} workers"] = problem, matrix, split
    return MappingProxyType(cases)


def _gradients(problem: LinearModel) -> Any:
    """Return the gradients (n, d) of the f_i at a random point."""
    return problem.worker_gradients(np.random.default_rng(1).standard_normal(problem.d))


def _sigma(theorem: Theorem, budget: Budget) -> Iterator[Comparison]:
    for name, (problem, rows, split) in _problems().items():
        u = _gradients(problem)
        found = data_sparsity(rows, split)
        constant = stated(theorem.evaluate(workers=found.workers, column_count=found.sigma_coord).value)
        squares = np.sum(square(u))
        yield worst(name, square(np.sum(u, axis=0)), constant * squares)
        # All workers draw the same entries: their messages depend on each other as much as they can.
        compressor, total = RandK(problem.d // 10), np.sum(u, axis=0)
        sent = compressor(np.tile(total, (budget.replicas, 1)), Stream(budget.seed))
        second_moment = compressor.guarantee(problem.d).second_moment
        bound = float(second_moment * constant * squares)
        yield sampled(f"{name}, the same entries of all", square(sent) / bound, 1.0)
        alone = u[:, np.argmax(np.count_nonzero(u, axis=0))] != 0  # u_i = e_l, l the fullest column
        yield worst(f"{name}, ones in the fullest column", np.sum(alone) ** 2, constant * np.sum(alone**2))


def _order(theorem: Theorem, budget: Budget) -> Iterator[Comparison]:
    del budget
    for name, (_, rows, split) in _problems().items():
        exact = exact_data_sparsity(rows, split)
        average = exact.average_degree.upper
        tr = stated(theorem.evaluate(workers=exact.workers, average_degree=average).value)
        yield worst(
            f"{name}, constants in order",
            [exact.sigma_coord, exact.sigma_spec.lower, exact.sigma_spec.lower, tr],
            [exact.sigma_spec.upper, tr, exact.sigma_Delta.upper, exact.sigma_F.upper],
        )


def _weighted(theorem: Theorem, budget: Budget) -> Iterator[Comparison]:
    del budget
    for name, (problem, rows, split) in _problems().items():
        p, L_i, u = problem.weights, problem.L_i, _gradients(problem)
        found = data_sparsity(rows, split, L_i)
        assert found.L_supp is not None
        limit = stated(
            theorem.evaluate(workers=found.workers, column_count=found.sigma_coord, Lambda=np.max(p * L_i)).value
        )
        yield worst(f"{name}, L and L_supp", [problem.L, found.L_supp, found.L_supp], [found.L_supp, p @ L_i, limit])
        yield worst(f"{name}, gradients", square(p @ u), found.L_supp * np.sum(p / L_i * square(u)))


EXPERIMENTS: Mapping[str, Experiment] = {
    "sparsity-sigma": _sigma,
    "sparsity-order": _order,
    "sparsity-weighted": _weighted,
}
