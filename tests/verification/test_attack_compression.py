"""Attacks on the table of compressors, the rules of composition, bits of messages, and data sparsity."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from taciturn.solvers.compressors import (
    QSGD,
    Bernoulli,
    HardThreshold,
    Natural,
    RandK,
    Sign,
    SystematicSampling,
    Ternary,
    TopK,
)
from taciturn.theory import catalogue, theorem
from taciturn.theory.theorem import Theorem
from taciturn.verification.attack import ratio, witness
from taciturn.verification.attacks.compression import rules
from taciturn.verification.attacks.compression.bits import expected_gamma_bits, gamma_bits
from taciturn.verification.attacks.compression.constants import CONSTANTS
from taciturn.verification.attacks.fields import Entries
from taciturn.verification.evidence import Budget, Verdict
from taciturn.verification.worst_cases import NOT_APPLICABLE

STATEMENTS = [*catalogue("compression"), *catalogue("data-sparsity")]
FEW = Budget(instances=60, cells=1, replicas=1)
HARDLY_ANY = Budget(instances=1, cells=1, replicas=1)
"""Besides the instances that are known to be hard."""

ONE_SIDED = {"bits-qsgd-gamma", "bits-packing"}
"""Bounds that are not called exact."""

EXACT = [entry for entry in STATEMENTS if entry.value is not None and entry.id not in ONE_SIDED]


def named(entry: Theorem) -> str:
    return entry.id


def test_every_statement_says_why_no_program_is_solved() -> None:
    assert len(STATEMENTS) == 31
    assert {entry.id for entry in STATEMENTS} <= NOT_APPLICABLE.keys()


@pytest.mark.parametrize("factor", [0.999, 1.001])
@pytest.mark.parametrize("entry", EXACT, ids=named)
def test_an_exact_constant_can_be_neither_smaller_nor_larger(entry: Theorem, factor: float) -> None:
    assert entry.value is not None
    wrong = replace(entry, value=factor * entry.value)

    assert witness(wrong, HARDLY_ANY)[0].verdict is Verdict.VIOLATED


# ---- moments in closed form, against the library's compressors and against all outcomes ----

VECTORS = Entries().draw(60, 7, np.random.default_rng(0))

LIBRARY = [
    ("urq-optimal", {"k": 3}, Bernoulli(3)),
    ("urq-optimal", {"k": 2}, SystematicSampling(2)),
    ("urq-bernoulli", {"smallest_probability": 0.3, "spectrum": np.ones(7)}, Bernoulli(2.1, "uniform")),
    ("urq-randk", {"k": 3}, RandK(3)),
    ("urq-ternary-inf", {}, Ternary("max")),
    ("urq-ternary-2", {}, Ternary("two")),
    ("urq-qsgd-2", {"levels": 3}, QSGD(3)),
    ("urq-qsgd-inf", {"levels": 3}, QSGD(3, "max")),
    ("urq-natural", {}, Natural()),
]


def measured(id: str, v: np.ndarray, **parameters: object) -> np.ndarray:
    batch = {name: np.broadcast_to(value, (len(v), *np.shape(value))) for name, value in parameters.items()}
    return np.asarray(CONSTANTS[id].measure(v, **batch))


@pytest.mark.parametrize(("id", "parameters", "compressor"), LIBRARY, ids=[repr(case[2]) for case in LIBRARY])
def test_second_moments_are_those_that_the_compressor_declares(id, parameters, compressor) -> None:  # type: ignore[no-untyped-def]
    declared = compressor.declared_moments(VECTORS).second_moment

    np.testing.assert_allclose(measured(id, VECTORS, **parameters), declared, rtol=1e-12)


@pytest.mark.parametrize(
    ("id", "parameters", "compressor"), [("det-topk", {"k": 3}, TopK(3)), ("det-sign", {}, Sign())]
)
def test_contractions_are_those_of_the_compressor(id, parameters, compressor) -> None:  # type: ignore[no-untyped-def]
    error = np.sum((compressor(VECTORS) - VECTORS) ** 2, axis=1) / np.sum(VECTORS**2, axis=1)

    np.testing.assert_allclose(measured(id, VECTORS, **parameters), 1 - error, atol=1e-14)


def test_errors_of_thresholds_and_grids() -> None:
    error = np.linalg.norm(HardThreshold(0.7)(VECTORS) - VECTORS, axis=1)
    np.testing.assert_allclose(measured("det-threshold", VECTORS, magnitude_threshold=0.7), error, atol=1e-14)

    few = VECTORS[np.max(np.abs(VECTORS), axis=1) < 20]
    grid = 0.3 * np.arange(-70, 71)
    nearest = np.min(np.abs(few[..., None] - grid), axis=-1)
    np.testing.assert_allclose(measured("det-grid", few, spacing=0.3), np.linalg.norm(nearest, axis=1), atol=1e-12)


def all_roundings(v: np.ndarray, levels: list[float]) -> float:
    """The second moment of independent unbiased rounding of magnitudes to the levels around them, over all outcomes."""
    outcomes = []
    for magnitude in np.abs(v):
        below = max(level for level in levels if level <= magnitude)
        above = min((level for level in levels if level > magnitude), default=below)
        up = (magnitude - below) / (above - below) if above > below else 0.0
        outcomes.append([(1 - up, below), (up, above)])
    total = sum(np.prod([p for p, _ in chosen]) * sum(level**2 for _, level in chosen) for chosen in product(*outcomes))
    return float(total / np.sum(v**2))


@pytest.mark.parametrize(
    ("id", "parameters", "scale", "levels"),
    [
        ("urq-natural-base", {"base": 3.0}, lambda v: 1.0, [0.0, *(3.0**e for e in range(-30, 30))]),
        ("urq-natdither-2", {"levels": 4}, np.linalg.norm, [0.0, 0.125, 0.25, 0.5, 1.0]),
        ("urq-natdither-inf", {"levels": 3}, lambda v: np.max(np.abs(v)), [0.0, 0.25, 0.5, 1.0]),
        ("urq-qsgd-inf", {"levels": 3}, lambda v: np.max(np.abs(v)), [0.0, 1 / 3, 2 / 3, 1.0]),
    ],
)
def test_roundings_average_over_all_outcomes(id, parameters, scale, levels) -> None:  # type: ignore[no-untyped-def]
    v = VECTORS[:12, :4]
    v = v[np.any(v, axis=1)]
    expected = [all_roundings(row / scale(row), levels) for row in v]

    np.testing.assert_allclose(measured(id, v, **parameters), expected, rtol=1e-12)


@pytest.mark.parametrize("k", [1, 2, 3])
def test_draws_with_replacement_average_over_all_draws(k: int) -> None:
    v = VECTORS[:5, :3]
    v = v[np.any(v, axis=1)]
    draws = np.array([np.bincount(drawn, minlength=3) for drawn in product(range(3), repeat=k)])
    messages = 3 / k * draws * v[:, None]
    expected = np.mean(np.sum(messages**2, axis=-1), axis=1) / np.sum(v**2, axis=1)

    np.testing.assert_allclose(measured("urq-randk-replacement", v, k=k), expected, rtol=1e-12)


def test_stochastic_signs_average_over_all_outcomes() -> None:
    v = np.array([0.5, -1.0, 0.0])
    probabilities = (1 + v) / 2
    outcomes = np.array(list(product([-1.0, 1.0], repeat=3)))
    weights = np.prod(np.where(outcomes > 0, probabilities, 1 - probabilities), axis=1)

    np.testing.assert_allclose(weights @ outcomes, v)
    expected = weights @ np.sum(outcomes**2, axis=1) / np.sum(v**2)
    np.testing.assert_allclose(measured("urq-stochastic-sign", v[None]), [expected])


def test_two_means_are_the_projection_on_the_two_supports() -> None:
    for v in VECTORS:
        basis = np.stack([v >= 0, v < 0], axis=1).astype(float)
        residual = v - basis @ np.linalg.lstsq(basis, v, rcond=None)[0]
        expected = 1 - residual @ residual / (v @ v)
        np.testing.assert_allclose(measured("det-onebit", v[None]), [expected], atol=1e-12)


# ---- bits ----


def gamma_code(number: int) -> str:
    digits = f"{number:b}"
    return "0" * (len(digits) - 1) + digits


def test_gamma_codes() -> None:
    numbers = [*range(1, 70), 2**20 - 1, 2**20]

    assert gamma_bits(numbers).tolist() == [len(gamma_code(number)) for number in numbers]
    codes = [gamma_code(number) for number in range(1, 70)]
    assert not any(a != b and b.startswith(a) for a in codes for b in codes)  # they can be told apart as they come


@pytest.mark.parametrize("levels", [1, 3])
@pytest.mark.parametrize("v", [np.ones(6), np.array([3.0, -0.5, 0.0, 1.0, 0.1, -2.0]), np.eye(5)[2], np.ones(1)])
def test_expected_lengths_average_over_all_outcomes(v: np.ndarray, levels: int) -> None:
    u = levels * np.abs(v) / np.linalg.norm(v)
    expected = 0.0
    for up in product([0, 1], repeat=v.size):
        level = (np.floor(u) + up).astype(int)
        probability = np.prod(np.where(up, u - np.floor(u), 1 - u + np.floor(u)))
        places = np.flatnonzero(level)
        text = gamma_code(len(places) + 1)
        for gap, j in zip(np.diff(places, prepend=-1), places, strict=True):
            text += gamma_code(int(gap)) + "s" + gamma_code(int(level[j]))
        expected += probability * (32 + len(text))

    found = expected_gamma_bits(v[None], np.array([levels]), np.array([32]))
    np.testing.assert_allclose(found, [expected], rtol=1e-12)


def test_the_error_of_cells_agrees_with_points_of_the_ball() -> None:
    """A code of four intervals for each of three coordinates, measured on random points."""
    cuts = np.array([[-0.5, 0.1, -0.2], [0.2, 0.3, 0.1], [0.9, 0.4, 0.3]])
    rng = np.random.default_rng(0)
    points = rng.standard_normal((200_000, 3))
    points *= rng.random((len(points), 1)) ** (1 / 3) / np.linalg.norm(points, axis=1, keepdims=True)
    edges = cuts / np.sqrt(1 + cuts**2)
    error = 0.0
    for j in range(3):
        cell = np.searchsorted(edges[:, j], points[:, j])
        error += sum(np.var(points[cell == c, j]) * np.mean(cell == c) for c in range(4))
    expected = 4.0 ** (-6 / 3) / (error * 5 / 3)

    assert ratio(theorem("bits-packing"), {"cuts": cuts.tolist()}) == pytest.approx(expected, rel=0.01)


# ---- rules and sparsity: wrong statements that only some instances refute ----


def test_variances_of_a_composite_do_not_add() -> None:
    """The outer compressor sees the longer message of the inner one."""
    entry = theorem("compose-unbiased")
    assert entry.value is not None
    first, second = (parameter.symbol for parameter in entry.parameters)

    assert witness(replace(entry, value=first + second), HARDLY_ANY)[0].verdict is Verdict.VIOLATED


@pytest.mark.parametrize(
    ("id", "name", "wrong"),
    [
        ("compose-blocks", "compose_blocks", lambda blocks: blocks[0]),
        ("compose-permk", "compose_permk", lambda squares, mean: 1.01 * (np.mean(squares) - mean)),
    ],
)
def test_a_wrong_rule_of_the_library_is_refuted(id, name, wrong, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setattr(rules, name, wrong)

    assert witness(theorem(id), FEW)[0].verdict is Verdict.VIOLATED


def test_the_published_sigma_is_no_better_than_the_average_degree_allows() -> None:
    """A path has no larger degree than two: its spectral constant exceeds 1 + its average degree."""
    entry = theorem("sparsity-order")
    workers, degree = (parameter.symbol for parameter in entry.parameters)
    path = {"matrix": (np.eye(5, 6) + np.eye(5, 6, 1)).tolist()}

    assert ratio(entry, path) <= 1
    assert ratio(replace(entry, value=1 + degree + 0 * workers), path) > 1.04
