"""Experiments on error feedback with data weights, ratios and thresholds."""

from __future__ import annotations

import json

import numpy as np
import pytest

from taciturn.solvers.array import Stream
from taciturn.theory import catalogue, theorem
from taciturn.theory.theorem import Theorem
from taciturn.verification.evidence import Budget, Verdict
from taciturn.verification.experiment import TOLERANCE, witness
from taciturn.verification.experiments import EXPERIMENTS, NOT_APPLICABLE
from taciturn.verification.experiments.error_feedback.problems import Scaling
from taciturn.verification.mutation import strengthened

STATEMENTS = [*catalogue("error-feedback"), *catalogue("ratio-assignment")]
FEW = Budget(instances=1, cells=1, replicas=20)

ATTAINED = (
    "def-a-r", "ef-tight", "ef-ef21-isomorphism", "memoryless-tight", "step-limit", "chi2-identity", "minimax-ratio",
    "exponent-table", "gain-formula", "thr-traffic", "thr-optimal", "bits-optimal", "schedule-periodic",
)  # fmt: skip
"""Statements that real runs attain."""


def test_every_statement_is_run_or_has_a_reason() -> None:
    for entry in STATEMENTS:
        assert (entry.id in EXPERIMENTS) != (entry.id in NOT_APPLICABLE)


@pytest.mark.slow
@pytest.mark.parametrize(
    "entry", [entry for entry in STATEMENTS if entry.id in EXPERIMENTS], ids=lambda entry: entry.id
)
def test_methods_keep_what_is_promised(entry: Theorem) -> None:
    (evidence,) = witness(entry, FEW)

    assert evidence.verdict is Verdict.HELD, evidence.prose
    assert evidence.ratio is not None
    assert 0 <= evidence.ratio <= 1 + TOLERANCE
    json.dumps(evidence.as_record(), allow_nan=False)


@pytest.mark.parametrize("id", ["ef-tight", "memoryless-tight", "gain-formula", "thr-traffic"])
def test_what_is_attained_is_measured_there(id: str) -> None:
    (evidence,) = witness(theorem(id), FEW)

    assert evidence.verdict is Verdict.HELD, evidence.prose
    assert evidence.ratio == pytest.approx(1, abs=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("id", ATTAINED)
def test_stronger_statements_are_refuted(id: str) -> None:
    for wrong in strengthened(theorem(id)):
        (evidence,) = witness(wrong, FEW)
        assert evidence.verdict is Verdict.VIOLATED, evidence.prose


def test_scaling_keeps_its_share_back() -> None:
    v = np.array([[3.0, 4.0], [0.0, 2.0]])
    sent = Scaling((0.5, -0.25)).send(v, np.ones(2) / 2, Stream(0)).vectors

    assert np.linalg.norm(v - sent, axis=1) == pytest.approx([2.5, 0.5])
    assert Scaling((0.5, -0.25)).guarantee(2).delta == 0.75
