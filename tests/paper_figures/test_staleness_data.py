from pathlib import Path

import numpy as np
import pytest
from scipy import sparse

from taciturn.paper_figures import staleness_data as figure
from taciturn.paper_figures import style
from taciturn.paper_figures.cache import Cache
from taciturn.paper_figures.setting import Setting
from taciturn.paper_figures.table import Table
from taciturn.solvers.sparsity import exact_data_sparsity
from taciturn.theory import theorem


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Local data: one svmlight file with an empty row, in which two of three documents share a word."""
    data = tmp_path_factory.mktemp("data")
    (data / "svmlight").mkdir()
    (data / "svmlight" / "tiny.svm").write_text("1 1:1 2:1\n-1\n-1 2:1 4:2\n1 3:1\n")
    return data


@pytest.fixture(scope="module")
def table(folder: Path) -> Table:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TACITURN_DATA", str(folder))
        patch.setattr(figure, "ROWS", {"quick": 400})
        patch.setattr(figure, "DENSE", (200, 50))
        pytest.importorskip("sklearn")
        return figure.compute(Setting(Cache(folder / "cache")), lambda done, total: None)


def test_files_of_the_user_are_rows_of_the_table(table: Table) -> None:
    row = table.where(data="tiny.svm")

    assert (row["workers"][0], row["columns"][0], row["sigma_coord"][0]) == (3, 4, 2)
    assert row["density"][0] == 5 / 12


def test_constants_are_in_the_order_of_their_theorem(table: Table) -> None:
    for end in ("lower", "upper"):
        degrees = table[f"average_degree_{end}"]
        # Large sets, where a worker is in conflict with all others, reach n - 1 but for rounding.
        trace = theorem("sparsity-order").evaluate(
            workers=table["workers"], average_degree=np.minimum(degrees, table["workers"] - 1)
        )
        assert (table["sigma_coord"] <= np.asarray(trace.value) * (1 + 1e-9)).all()
        published = np.sqrt(table["workers"] * (1 + degrees))
        assert (table[f"sigma_published_{end}"] <= published * (1 + 1e-9)).all()
    assert (table["L"] <= table["L_supp"] * (1 + 1e-9)).all()
    assert (table["L_supp"] <= table["L_bar"] * (1 + 1e-9)).all()


def test_brackets_hold_what_the_conflict_graph_says(table: Table) -> None:
    words = figure.bag_of_words(400, figure.COLUMNS, figure.DENSITY, figure.LEFT_OUT, seed=0)
    exact, row = exact_data_sparsity(words), table.where(data=f"words: Zipf, {figure.LEFT_OUT} commonest left out")

    assert row["sigma_coord"][0] == exact.sigma_coord
    for name in ("average_degree", "largest_degree"):
        assert row[f"{name}_lower"][0] <= getattr(exact, name).upper <= row[f"{name}_upper"][0]
    assert row["average_degree_estimate"][0] == pytest.approx(exact.average_degree.upper, rel=0.1)


@pytest.mark.parametrize("offset", [0.0, 300.0, 1e9])
def test_bags_of_words_have_the_density_that_is_asked_for(offset: float) -> None:
    words = figure.bag_of_words(500, 5000, 0.01, offset, seed=1)

    assert words.nnz / (500 * 5000) == pytest.approx(0.01, rel=0.03)
    assert words.has_canonical_format
    np.testing.assert_allclose(sparse.linalg.norm(words, axis=1), 1.0)


def test_only_common_words_make_every_worker_conflict(table: Table) -> None:
    shares = {
        name: table.where(data=name)["sigma_coord"][0] / 400 for name in table.different("data") if "words" in name
    }

    assert list(shares.values()) == sorted(shares.values(), reverse=True)
    assert shares["words: Zipf"] > 0.99
    assert shares["words: all words alike"] < 0.05


def test_the_picture_is_drawn_from_the_csv(table: Table, tmp_path: Path) -> None:
    table.write(tmp_path / "numbers.csv")
    with style.settings():
        drawing = figure.plot(Table.read(tmp_path / "numbers.csv"))

    assert len(drawing.axes) == 1
    assert all(axis.lines for axis in drawing.axes)
