"""The public lists are true, and every example in a docstring runs."""

from __future__ import annotations

import doctest
import importlib
import pkgutil
import tomllib
from pathlib import Path
from types import ModuleType

import pytest

ROOMS = ("theory", "solvers", "verification", "paper_figures", "cli")
NEEDS = {"taciturn.solvers.problems.neural": "torch"}  # examples with an optional dependency
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


def _modules() -> list[str]:
    names = []
    for room in ROOMS:
        package = importlib.import_module(f"taciturn.{room}")
        names.append(package.__name__)
        names += [found.name for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}.")]
    return names


def test_every_package_is_in_the_wheel() -> None:
    """A sub-package that pyproject.toml does not list works in the checkout, and is missing from the wheel."""
    settings = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text(encoding="utf-8"))
    packages = {name for name in _modules() if hasattr(importlib.import_module(name), "__path__")}

    assert sorted(packages) == sorted(settings["tool"]["setuptools"]["packages"])


@pytest.mark.parametrize("name", _modules())
def test_public_list_is_true(name: str) -> None:
    module = importlib.import_module(name)
    public = getattr(module, "__all__", None)
    if public is not None:
        assert sorted(set(public)) == sorted(public)
        assert [entry for entry in public if not hasattr(module, entry)] == []


@pytest.mark.parametrize("name", _modules())
def test_every_module_says_what_it_is(name: str) -> None:
    assert (importlib.import_module(name).__doc__ or "").strip()


def _examples(module: ModuleType) -> list[doctest.DocTest]:
    return [test for test in doctest.DocTestFinder(exclude_empty=True).find(module) if test.examples]


@pytest.mark.parametrize("name", _modules())
def test_examples_run(name: str) -> None:
    if name in NEEDS:
        pytest.importorskip(NEEDS[name])
    runner = doctest.DocTestRunner(optionflags=FLAGS)
    output: list[str] = []
    for test in _examples(importlib.import_module(name)):
        runner.run(test, out=output.append)

    assert "".join(output) == ""
