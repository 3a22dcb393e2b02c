"""Experiments on compressors, their compositions, bits of messages, and data sparsity."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from taciturn.theory import catalogue, theorem
from taciturn.theory.theorem import Theorem
from taciturn.verification.evidence import Budget, Verdict
from taciturn.verification.experiment import TOLERANCE, compare, witness
from taciturn.verification.experiments import EXPERIMENTS, compression
from taciturn.verification.experiments.settings import text_gradients

STATEMENTS = [*catalogue("compression"), *catalogue("data-sparsity")]
FEW = Budget(instances=1, cells=1, replicas=100)
MANY = Budget(instances=1, cells=1, replicas=4000)

ATTAINED = {
    "urq-optimal": 0.98,
    "urq-randk": 0.98,
    "det-topk": 1.02,
    "det-sign": 1.02,
    "det-threshold": 0.98,
    "compose-scale": 1.02,
    "sparsity-sigma": 0.98,
    "sparsity-order": 0.98,
}
"""Statements that real compressors or data attain without noise, and a factor that makes them wrong."""

NEARLY = {
    "urq-ternary-inf": 0.9,
    "urq-ternary-2": 0.9,
    "urq-qsgd-inf": 0.95,
    "urq-natural": 0.98,
    "compose-average": 0.95,
}
"""How near their bound others come with many draws."""


def test_every_statement_is_run() -> None:
    assert {entry.id for entry in STATEMENTS} <= EXPERIMENTS.keys()


@pytest.mark.parametrize("entry", STATEMENTS, ids=lambda entry: entry.id)
def test_compressors_and_data_keep_what_is_promised(entry: Theorem) -> None:
    (evidence,) = witness(entry, FEW)

    assert evidence.verdict is Verdict.HELD, evidence
    assert evidence.ratio is not None
    assert 0 < evidence.ratio <= 1 + TOLERANCE
    json.dumps(evidence.as_record(), allow_nan=False)


@pytest.mark.parametrize(("id", "factor"), ATTAINED.items())
def test_what_is_attained_refutes_a_stronger_statement(id: str, factor: float) -> None:
    entry = theorem(id)
    assert entry.value is not None

    assert witness(replace(entry, value=factor * entry.value), FEW)[0].verdict is Verdict.VIOLATED


@pytest.mark.slow
@pytest.mark.parametrize(("id", "share"), NEARLY.items())
def test_many_draws_come_near_the_bound(id: str, share: float) -> None:
    (evidence,) = witness(theorem(id), MANY)

    assert evidence.verdict is Verdict.HELD
    assert evidence.ratio is not None
    assert evidence.ratio > share


def test_draws_refute_a_constant_that_is_far_too_small() -> None:
    entry = theorem("urq-qsgd-inf")
    assert entry.value is not None

    assert witness(replace(entry, value=0.5 * entry.value), FEW)[0].verdict is Verdict.VIOLATED


def test_lengths_of_real_messages_refute_a_bound_that_is_too_small() -> None:
    entry = theorem("bits-qsgd-gamma")
    assert entry.value is not None

    assert witness(replace(entry, value=0.6 * entry.value), FEW)[0].verdict is Verdict.VIOLATED


def test_real_messages_refute_a_packing_bound_that_is_too_large() -> None:
    """Four bits an entry, not two, would have to lower the error by the same factor."""
    entry = theorem("bits-packing")
    assert entry.value is not None

    assert witness(replace(entry, value=entry.value**0.25), FEW)[0].verdict is Verdict.VIOLATED


def test_the_dimension_is_that_of_the_gradients() -> None:
    assert text_gradients().shape == (13, compression.DIMENSION)
    assert np.all(np.isfinite(text_gradients()))


def test_draws_are_reproducible() -> None:
    first, second = (compare(theorem("urq-natural"), FEW) for _ in range(2))

    assert first == second
    assert first != compare(theorem("urq-natural"), replace(FEW, seed=1))
