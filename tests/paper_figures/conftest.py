"""The numbers of all figures, from small parts of the e-mails."""

import functools
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from numpy.typing import NDArray

from taciturn.paper_figures import adaptive_compression_runs as runs
from taciturn.paper_figures import adaptive_compression_workers as workers
from taciturn.paper_figures import (
    event_claims,
    event_horizon,
    event_mixing,
    event_networks,
    event_one_sided,
    event_raster,
    event_residual,
    event_runs,
    event_savings,
    event_sparsified,
    event_tasks,
    event_tensors,
    event_tracking,
    event_workers,
    ratios_labels,
    ratios_network,
    ratios_runs,
    ratios_savings,
    ratios_step_limits,
    ratios_time,
    ratios_traffic,
    registry,
    staleness_accuracy,
    staleness_adaptive_steps,
    staleness_asynchronous,
    staleness_claims,
    staleness_convergence,
    staleness_data,
    staleness_stored,
    staleness_tau,
)
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


@pytest.fixture
def small_staleness(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Few e-mails, delays and iterations, and no processes."""
    size = staleness_convergence.Size(40, 60, workers=3, regularisation=1e-2, tau=3, fresh=150, stale=300, replicas=1)
    monkeypatch.setattr(staleness_claims, "DIMENSIONS", {"quick": (2, 10)})
    monkeypatch.setattr(staleness_claims, "YOUNG", (1.0, 4.0, 8.0))
    monkeypatch.setattr(staleness_data, "ROWS", {"quick": 500})
    monkeypatch.setattr(staleness_tau, "SHOWN", {"quick": (0, 2)})
    monkeypatch.setattr(staleness_tau, "TRIED", {"quick": (0, 1, 7)})
    monkeypatch.setattr(staleness_accuracy, "HALVINGS", {"quick": 5})
    monkeypatch.setattr(staleness_accuracy, "DELAYS", {"quick": (0, 4)})
    monkeypatch.setattr(staleness_convergence, "SIZES", {"quick": size})
    monkeypatch.setattr(staleness_stored, "GRID", {"quick": (4, 5)})
    monkeypatch.setattr(staleness_adaptive_steps, "ITERATIONS", {"quick": 200})
    monkeypatch.setattr(staleness_adaptive_steps, "SEEDS", {"quick": 1})
    monkeypatch.setattr(staleness_adaptive_steps, "EVERY", 60)
    monkeypatch.setattr(staleness_asynchronous, "ITERATIONS", {"quick": 40})
    monkeypatch.setattr(staleness_asynchronous, "torch_is_here", lambda: False)
    staleness_adaptive_steps.problem.cache_clear()
    yield
    staleness_adaptive_steps.problem.cache_clear()


@pytest.fixture
def small_events(monkeypatch: pytest.MonkeyPatch) -> None:
    """Few passes, horizons, thresholds and workers, and no processes."""
    monkeypatch.delenv("TACITURN_DATA", raising=False)
    monkeypatch.setattr(event_runs, "POINTS", 10)
    monkeypatch.setattr(event_tasks, "NETWORK_EPOCHS", {"quick": {"digits": 2, "synthetic": 2}})
    monkeypatch.setattr(event_runs, "NETWORK_POINTS", 4)
    monkeypatch.setattr(event_savings, "PASSES", {"quick": 60})
    monkeypatch.setattr(event_raster, "PASSES", {"quick": 145})
    monkeypatch.setattr(event_horizon, "PASSES", {"quick": 60})
    monkeypatch.setattr(event_horizon, "HORIZONS", {"quick": (0.5, 1.0, 1.5)})
    monkeypatch.setattr(event_horizon, "NETWORK_HORIZONS", {"quick": (1.0, 1.5)})
    monkeypatch.setattr(event_horizon, "CONSTANTS", (0.1, 1.0))
    monkeypatch.setattr(event_networks, "SIZES", {"quick": {"ring": (4, 8), "torus": (8,), "complete": (8,)}})
    monkeypatch.setattr(event_networks, "EPOCHS", {"quick": 4})
    monkeypatch.setattr(event_sparsified, "PASSES", {"quick": 60})
    monkeypatch.setattr(event_tracking, "ITERATIONS", {"quick": 100})
    monkeypatch.setattr(event_workers, "WORKERS", (4, 8))
    monkeypatch.setattr(event_workers, "EPOCHS", {"quick": 4})
    monkeypatch.setattr(event_residual, "THRESHOLDS", {"quick": (0.1, 1.0)})
    monkeypatch.setattr(event_residual, "STEPS", {"quick": (0.016, 0.032)})
    monkeypatch.setattr(event_tensors, "ITERATIONS", {"quick": 300})
    monkeypatch.setattr(event_mixing, "SIMULATED", {"quick": (1.0,)})
    monkeypatch.setattr(event_mixing, "THRESHOLDS", {"quick": 3})
    monkeypatch.setattr(event_one_sided, "PASSES", {"quick": 40})
    monkeypatch.setattr(event_one_sided, "POINTS", 5)
    monkeypatch.setattr(event_claims, "torch_is_here", lambda: False)


@pytest.fixture(scope="module")
def small_ratios() -> Iterator[None]:
    """Few e-mails, tokens, seeds and imbalances, no images, short vectors."""
    caches = (ratios_runs.whole, ratios_runs.problem)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ratios_runs, "CASES", ratios_runs.CASES[:1])
        patch.setattr(ratios_runs, "ROWS", {"quick": 100})
        patch.setattr(ratios_runs, "COLUMNS", {"quick": 30})
        patch.setattr(ratios_runs, "SEEDS", {"quick": 2})
        patch.setattr(ratios_runs, "IMBALANCES", (1, 3))
        patch.setattr(ratios_runs, "LONGEST", 40)
        patch.setattr(ratios_runs, "GRID", 2.0 ** np.arange(-1, 4))
        patch.setattr(ratios_network, "ROWS", {"quick": 100})
        patch.setattr(ratios_network, "LONGEST", 10)
        patch.setattr(ratios_savings, "GRID", {"quick": (3, 3)})
        patch.setattr(ratios_step_limits, "LARGEST", {"quick": 3})
        patch.setattr(ratios_labels, "CONCENTRATIONS", {"quick": (0.1, 100.0)})
        patch.setattr(ratios_traffic, "ITERATIONS", {"quick": 40})
        patch.setattr(ratios_time, "DIMENSIONS", {"quick": (100, 1000)})
        for function in caches:
            function.cache_clear()
        yield
    for function in caches:
        function.cache_clear()


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
