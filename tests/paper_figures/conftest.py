"""The numbers of all figures, from small parts of the e-mails."""

import functools
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from numpy.typing import NDArray

from taciturn.paper_figures import adaptive_compression_runs as runs
from taciturn.paper_figures import adaptive_compression_workers as workers
from taciturn.paper_figures import registry
from taciturn.paper_figures.cache import Cache
from taciturn.paper_figures.figure import Figure
from taciturn.paper_figures.setting import Setting
from taciturn.paper_figures.table import Table
from taciturn.solvers.data import load_text
from taciturn.solvers.partition import split_iid
from taciturn.solvers.problems import LinearModel, logistic_regression

ROWS, COLUMNS = 300, 1500


def _common(count: int) -> NDArray[np.int64]:
    """The columns with the most entries."""
    return np.sort(np.argsort(-np.diff(load_text().features.tocsc().indptr), kind="stable")[:count])


def _few_emails(regularisation: float) -> LinearModel:
    data = load_text()
    features, targets = data.features[::20][:ROWS][:, _common(COLUMNS)], data.targets[::20][:ROWS]
    return logistic_regression(features, targets, regularisation)


def _few_emails_of_workers(regularisation: float) -> LinearModel:
    data = load_text()
    features, targets = data.features[::20][:ROWS][:, _common(16)], data.targets[::20][:ROWS]
    return logistic_regression(features, targets, regularisation).split(split_iid(ROWS, runs.WORKERS, seed=0))


@pytest.fixture(scope="session")
def small() -> Iterator[None]:
    """Problems with few rows and columns and small condition numbers."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("TACITURN_DATA", raising=False)
        patch.setitem(runs._PROBLEMS, runs.TEXT, (_few_emails, 1e-2))
        patch.setitem(runs._PROBLEMS, runs.DIGITS, (_few_emails_of_workers, 1e-1))
        patch.setattr(workers, "workers_data", lambda: runs.DIGITS)
        patch.setattr(workers, "LONGEST", {runs.DIGITS: 300})
        patch.setattr(workers, "STALLED", 100)
        runs.problem.cache_clear()
        yield
    runs.problem.cache_clear()


@pytest.fixture(scope="session")
def cache(small: None, tmp_path_factory: pytest.TempPathFactory) -> Cache:
    """Where the runs on the small problems are kept."""
    del small
    return Cache(tmp_path_factory.mktemp("cache"))


@pytest.fixture(scope="session")
def numbers(cache: Cache) -> Callable[[str], Table]:
    """The table of a figure by the last word of its name, computed once on the small problems."""
    setting = Setting(cache)

    @functools.cache
    def compute(word: str) -> Table:
        entry = registry.figure(f"adaptive-compression-{word}")
        assert isinstance(entry, Figure)
        return entry.compute(setting, lambda done, total: None)

    return compute
