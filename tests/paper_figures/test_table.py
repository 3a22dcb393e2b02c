from pathlib import Path

import numpy as np
import pytest

from taciturn.paper_figures.table import Table, stacked


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    table = Table.of(name=["a, b", 'say "c"'], T=[1, 20], value=[1 / 3, float("inf")], one=0.5)
    table.write(path)
    again = Table.read(path)

    assert list(again.columns) == ["name", "T", "value", "one"]
    assert again["name"].tolist() == ["a, b", 'say "c"']
    assert again["T"].dtype == np.int64
    assert again["T"].tolist() == [1, 20]
    np.testing.assert_allclose(again["value"], [1 / 3, np.inf], rtol=1e-9)
    assert again["one"].tolist() == [0.5, 0.5]


def test_format_is_fixed(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    Table.of(series="µ", x=[1 / 3, 1e300], n=np.array([7, 8])).write(path)

    assert path.read_bytes() == "series,x,n\nµ,0.333333333,7\nµ,1e+300,8\n".encode()


def test_rows_are_selected_by_all_given_columns() -> None:
    table = stacked(Table.of(series=name, T=[1, 2], value=[3.0, 4.0]) for name in ("b", "a"))

    assert table.where(series="a", T=2)["value"].tolist() == [4.0]
    assert len(table.where(series="c")) == 0
    assert table.different("series") == ["b", "a"]


@pytest.mark.parametrize("content", ["", "a,b\n1,2\n3\n"])
def test_truncated_file_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "table.csv"
    path.write_text(content)

    with pytest.raises(ValueError, match=r"table\.csv is corrupt or truncated"):
        Table.read(path)


def test_columns_of_different_lengths_are_refused() -> None:
    with pytest.raises(ValueError, match="broadcast"):
        Table.of(a=[1, 2], b=[1, 2, 3])
