"""The table of exact constants, measured."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from taciturn.theory import theorem
from taciturn.verification import constants_table as module
from taciturn.verification.attacks.compression.constants import CONSTANTS
from taciturn.verification.constants_table import DIMENSIONS, constants_table

ROUNDING = 1e-12


def insist(dimensions: tuple[int, ...], steps: int) -> None:
    rows = constants_table(dimensions, steps)
    assert {(row.theorem, row.d) for row in rows} == {(id, d) for id in CONSTANTS for d in dimensions}
    for row in rows:
        assert row.share <= 1 + ROUNDING, row
        assert row.share >= (1 - ROUNDING if row.exact else 0.7), row
    assert {row.theorem for row in rows if not row.exact} <= {"urq-qsgd-2", "urq-natdither-2", "urq-natdither-inf"}


def test_exact_constants_are_attained_and_never_exceeded() -> None:
    insist((1, 2, 3, 10), steps=3)


@pytest.mark.slow
def test_exact_constants_are_attained_and_never_exceeded_up_to_ten_thousand_entries() -> None:
    insist(DIMENSIONS, steps=10)


@pytest.mark.parametrize("id", ["urq-ternary-inf", "urq-qsgd-inf", "urq-natural", "det-topk", "det-grid"])
def test_the_search_finds_the_worst_vector_by_itself(id: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def arbitrary(d: int, **parameters: np.ndarray) -> np.ndarray:
        return np.linspace(1.0, 2.0, d)

    monkeypatch.setattr(module, "CONSTANTS", {id: replace(CONSTANTS[id], extremal=arbitrary)})
    for row in constants_table([6], steps=150):
        assert 0.995 < row.share <= 1 + ROUNDING


@pytest.mark.parametrize(("id", "factor"), [("urq-natural", 0.999), ("urq-qsgd-2", 0.999), ("det-sign", 1.001)])
def test_a_wrong_constant_is_exceeded(id: str, factor: float, monkeypatch: pytest.MonkeyPatch) -> None:
    entry = theorem(id)
    assert entry.value is not None
    monkeypatch.setattr(module, "theorem", lambda _: replace(entry, value=factor * entry.value))
    monkeypatch.setattr(module, "CONSTANTS", {id: CONSTANTS[id]})

    assert max(row.share for row in constants_table([10], steps=1)) > 1.0005


@pytest.mark.parametrize(("dimensions", "steps", "message"), [([3, 0], 1, "d = 0"), ([3], -1, "steps = -1")])
def test_bad_input_is_refused(dimensions: list[int], steps: int, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        constants_table(dimensions, steps)
