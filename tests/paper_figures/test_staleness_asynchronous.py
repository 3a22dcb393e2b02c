"""The record of an asynchronous run: intervals that do not overlap, a replay that agrees, and what stands in."""

from pathlib import Path

import numpy as np
import pytest

from taciturn.paper_figures import registry
from taciturn.paper_figures import staleness_asynchronous as figure
from taciturn.paper_figures.cache import Cache
from taciturn.paper_figures.setting import Setting
from taciturn.paper_figures.table import Table
from taciturn.solvers.problems import heterogeneous_quadratic

K = 40


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    few = heterogeneous_quadratic(figure.WORKERS, d=20, L=1.0, mu=0.1, spread=1.0, seed=0)
    monkeypatch.setattr(figure, "problem", lambda: few)
    monkeypatch.setattr(figure, "ITERATIONS", {"quick": K})


@pytest.fixture
def without_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(figure, "torch_is_here", lambda: False)


def _compute(folder: Path) -> Table:
    return figure.compute(Setting(Cache(folder)), lambda done, total: None)


def _check_messages(table: Table) -> None:
    messages = table.where(series="message")
    assert len(messages) == K
    assert messages["iteration"].tolist() == list(range(K))
    for worker in range(figure.WORKERS):
        rows = messages.where(worker=worker)
        # The next job starts with the model of the update that the last one made.
        assert (rows["version"][1:] == rows["iteration"][:-1] + 1).all()
    assert (messages["iteration"] - messages["version"]).mean() <= figure.WORKERS - 1


def test_without_torch_the_simulated_server_stands_in_and_the_picture_says_so(
    without_torch: None, tmp_path: Path
) -> None:
    table = _compute(tmp_path)

    assert table.different("source") == [figure.SIMULATED]
    _check_messages(table)
    assert np.isnan(table.where(series="run")["value"]).all()
    words = [text.get_text() for text in figure.plot(table).findobj(lambda artist: hasattr(artist, "get_text"))]
    assert "simulated server: torch is not installed" in words


@pytest.mark.slow
def test_processes_and_their_replay_agree(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    table = _compute(tmp_path)

    assert table.different("source") == [figure.REAL]
    _check_messages(table)
    run, replay = (table.where(series=name)["value"] for name in ("run", "replay"))
    np.testing.assert_allclose(run, replay, rtol=1e-9)
    assert table.where(series="difference")["value"].max() < 1e-12


def test_a_record_is_checked_by_drawing_it_again(without_torch: None, tmp_path: Path) -> None:
    name = figure.FIGURE.name
    assert registry.check(name, tmp_path) == (f"{name}.csv",)
    registry.draw(name, tmp_path)
    assert registry.check(name, tmp_path) == ()

    numbers = tmp_path / f"{name}.csv"
    numbers.write_text(numbers.read_text().replace("message,0,0,", "message,1,0,", 1))

    differing = registry.check(name, tmp_path)
    assert f"{name}.csv" not in differing
    assert f"{name}.png" in differing
