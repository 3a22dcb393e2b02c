import random
import subprocess
import sys
import time
from pathlib import Path

import kiwisolver
import matplotlib
from matplotlib.figure import Figure

from taciturn.paper_figures import style


def _sample() -> Figure:
    figure, axes = style.canvas(style.ONE_COLUMN, 2.0, columns=2)
    for axis in axes:
        axis.semilogy([1, 2, 3], [1, 10, 100], label=r"$\alpha_k$")
        axis.set(title="a title", xlabel="entries")
    style.panel_letters(axes)
    style.label_line(axes[0], 2, 10, "line", style.BLUE)
    axes[1].legend()
    return figure


def _saved(folder: Path) -> dict[str, bytes]:
    folder.mkdir()
    with style.settings():
        paths = style.save(_sample(), folder, "sample")
    return {path.name: path.read_bytes() for path in paths}


def test_the_same_figure_gives_the_same_bytes_a_second_later(tmp_path: Path) -> None:
    first = _saved(tmp_path / "first")
    time.sleep(1.1)  # dates in files have the resolution of a second

    assert first == _saved(tmp_path / "second")
    assert set(first) == {"sample.pdf", "sample.png", "sample.svg"}


def test_the_layout_does_not_depend_on_where_it_finds_memory() -> None:
    """The solver of the layout orders its variables by address: made and dropped in disorder, they get others."""
    rng = random.Random(0)
    others: list[kiwisolver.Variable] = []
    found = set()
    for _ in range(6):
        others.extend(kiwisolver.Variable(str(number)) for number in range(3000))
        rng.shuffle(others)
        del others[1500:]
        with style.settings():
            figure, axes = style.canvas(style.TWO_COLUMNS, 4.8, rows=2, columns=5, width_ratios=(1.35, 1, 1, 1, 1))
            style.lay_out(figure)
        found.add(tuple(axis.get_position().bounds for axis in axes))
    assert len(found) == 1


def test_no_date_is_written(tmp_path: Path) -> None:
    saved = _saved(tmp_path / "files")

    assert b"CreationDate" not in saved["sample.pdf"]
    assert b"<dc:date>" not in saved["sample.svg"]


def test_settings_leave_matplotlib_as_it_was(tmp_path: Path) -> None:
    before = dict(matplotlib.rcParams)
    _saved(tmp_path / "files")

    assert dict(matplotlib.rcParams) == before


def test_settings_of_the_user_do_not_show(tmp_path: Path) -> None:
    plain = _saved(tmp_path / "plain")
    with matplotlib.rc_context({"lines.linewidth": 9.0, "font.size": 20.0, "axes.grid": False}):
        assert plain == _saved(tmp_path / "changed")


def test_pyplot_is_not_imported() -> None:
    code = "import sys, taciturn.paper_figures.registry; sys.exit('matplotlib.pyplot' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
