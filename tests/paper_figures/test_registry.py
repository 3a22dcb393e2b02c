import shutil
from pathlib import Path

import pytest

from taciturn.paper_figures import registry
from taciturn.paper_figures.figure import Figure
from taciturn.theory import theorem

FAST = "adaptive-compression-overhead"


def test_every_entry_says_what_it_shows() -> None:
    assert len(set(registry.names())) == len(registry.names()) >= 9
    for name in registry.names():
        entry = registry.figure(name)
        assert entry.name == name
        for words in (entry.title, entry.caption, entry.claim):
            assert len(words) > 10
        assert entry.theorems
        for id in entry.theorems:
            theorem(id)


@pytest.fixture(scope="module")
def drawn(small: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the figure, to be copied."""
    folder = tmp_path_factory.mktemp("drawn")
    registry.draw(FAST, folder)
    return folder


@pytest.fixture
def folder(drawn: Path, tmp_path: Path) -> Path:
    """A copy of it."""
    return Path(shutil.copytree(drawn, tmp_path / "copy"))


def test_a_figure_comes_out_the_same_twice_and_check_agrees(small: None, folder: Path, tmp_path: Path) -> None:
    first = {path.name: path.read_bytes() for path in folder.glob(f"{FAST}.*")}

    assert set(first) == {f"{FAST}.{kind}" for kind in ("csv", "pdf", "png", "svg")}
    assert first == {path.name: path.read_bytes() for path in registry.draw(FAST, tmp_path / "second")}
    assert registry.check(FAST, folder) == ()


def test_check_names_the_files_that_differ(small: None, folder: Path) -> None:
    (folder / f"{FAST}.svg").unlink()
    numbers = folder / f"{FAST}.csv"
    numbers.write_text(numbers.read_text().replace("1", "2", 1))

    assert set(registry.check(FAST, folder)) == {f"{FAST}.csv", f"{FAST}.svg"}


def test_redraw_follows_the_numbers_in_the_folder(small: None, folder: Path) -> None:
    first = (folder / f"{FAST}.png").read_bytes()
    assert registry.redraw(FAST, folder)[1].read_bytes() == first

    numbers = folder / f"{FAST}.csv"
    numbers.write_text(numbers.read_text().replace("gradient,$1/j$", "gradient,other"))
    assert registry.redraw(FAST, folder)[1].read_bytes() != first


def test_progress_ends_with_everything_done(small: None, tmp_path: Path) -> None:
    calls: list[tuple[int, int]] = []
    registry.draw(FAST, tmp_path, progress=lambda done, total: calls.append((done, total)))

    assert [done for done, _ in calls] == list(range(1, calls[-1][1] + 1))


def test_a_failure_leaves_earlier_files_as_they_are(small: None, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = {path.name: path.read_bytes() for path in folder.glob(f"{FAST}.*")}
    entry = registry.figure(FAST)
    assert isinstance(entry, Figure)

    def fail(table: object) -> object:
        raise ArithmeticError

    monkeypatch.setattr(registry, "figure", lambda name: Figure(**{**vars(entry), "plot": fail}))
    with pytest.raises(ArithmeticError):
        registry.draw(FAST, folder)

    assert {name: (folder / name).read_bytes() for name in before} == before
    assert [path.name for path in folder.glob(".drawing-*")] == []


def test_unknown_names_propose_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="adaptive-compression-bits"):
        registry.draw("adaptive-compression-bit", tmp_path)
    with pytest.raises(ValueError, match="backend"):
        registry.draw(FAST, tmp_path, backend="jax")
    with pytest.raises(ValueError, match="device='cuda'"):
        registry.draw(FAST, tmp_path, device="cuda")


def test_an_unwritable_folder_is_refused_before_any_work(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(OSError, match="file"):
        registry.draw("claims", tmp_path / "file")


@pytest.mark.slow
@pytest.mark.parametrize("name", registry.names())
def test_every_figure_can_be_drawn_and_redrawn(
    small: None, small_staleness: None, small_events: None, small_ratios: None, tmp_path: Path, name: str
) -> None:
    drawn = {path: path.read_bytes() for path in registry.draw(name, tmp_path)}
    registry.redraw(name, tmp_path)

    assert {path: path.read_bytes() for path in drawn} == drawn
