"""All figures drawn once from a small part of the e-mails."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from taciturn.paper_figures import adaptive_compression_runs as runs
from taciturn.paper_figures import adaptive_compression_workers as workers
from taciturn.paper_figures import registry
from taciturn.solvers.data import load_text
from taciturn.solvers.partition import split_by_label
from taciturn.solvers.problems import LinearModel, logistic_regression

ROWS, COLUMNS = 300, 1500


def _common(count: int) -> NDArray[np.int64]:
    """The columns with the most entries."""
    return np.argsort(-np.diff(load_text().features.tocsc().indptr), kind="stable")[:count]


def _few_emails(regularisation: float) -> LinearModel:
    data = load_text()
    features, targets = data.features[::20][:ROWS][:, _common(COLUMNS)], data.targets[::20][:ROWS]
    return logistic_regression(features, targets, regularisation)


def _few_emails_by_label(regularisation: float) -> LinearModel:
    data = load_text()
    features, targets = data.features[::20][:ROWS][:, _common(64)], data.targets[::20][:ROWS]
    return logistic_regression(features, targets, regularisation).split(split_by_label(targets, runs.WORKERS))


@pytest.fixture(scope="session")
def small() -> Iterator[None]:
    """Problems with few rows and columns and small condition numbers."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("TACITURN_DATA", raising=False)
        patch.setitem(runs._PROBLEMS, runs.TEXT, (_few_emails, 1e-2))
        patch.setitem(runs._PROBLEMS, runs.DIGITS, (_few_emails_by_label, 1e-1))
        patch.setattr(workers, "workers_data", lambda: runs.DIGITS)
        runs.problem.cache_clear()
        yield
    runs.problem.cache_clear()


@pytest.fixture(scope="session")
def drawn(small: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with every figure."""
    del small
    folder = tmp_path_factory.mktemp("figures")
    for name in registry.names():
        registry.draw(name, folder)
    return folder
