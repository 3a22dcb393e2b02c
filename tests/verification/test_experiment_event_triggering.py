"""Runs of event-triggered methods beside their bounds, and wrong theorems."""

from __future__ import annotations

import json

import numpy as np
import pytest

from taciturn.theory import catalogue, theorem
from taciturn.verification import experiments
from taciturn.verification.evidence import Budget, Verdict
from taciturn.verification.experiment import TOLERANCE, compare, witness
from taciturn.verification.experiments import event_triggering
from taciturn.verification.experiments.event_triggering.messages import adaptive_pattern
from taciturn.verification.experiments.event_triggering.problems import alike, settings, settled
from taciturn.verification.mutation import strengthened

EXPERIMENTS, NOT_APPLICABLE = event_triggering.EXPERIMENTS, event_triggering.NOT_APPLICABLE
FEW = Budget(instances=1, cells=1, replicas=1)

QUICK = ["gd-contraction", "eg-stuck", "ap-sc", "norm-diff-unsafe", "horizon-lockout", "pullback-cap", "time-varying"]


def test_every_statement_is_run_or_says_why_not() -> None:
    assert {entry.id for entry in catalogue("event-triggering")} == EXPERIMENTS.keys() | NOT_APPLICABLE.keys()
    assert not EXPERIMENTS.keys() & NOT_APPLICABLE.keys()
    assert all(experiments.EXPERIMENTS[id] is experiment for id, experiment in EXPERIMENTS.items())
    assert NOT_APPLICABLE.items() <= experiments.NOT_APPLICABLE.items()


@pytest.mark.parametrize(
    "id", [*QUICK, *(pytest.param(id, marks=pytest.mark.slow) for id in EXPERIMENTS if id not in QUICK)]
)
def test_methods_keep_what_is_promised(id: str) -> None:
    (evidence,) = witness(theorem(id), FEW)

    assert evidence.verdict is Verdict.HELD, evidence
    assert evidence.ratio is not None
    assert 0 < evidence.ratio <= 1 + TOLERANCE
    json.dumps(evidence.as_record(), allow_nan=False)


@pytest.mark.parametrize("id", ["eg-stuck", "norm-diff-unsafe", "horizon-lockout", "pullback-cap", "gd-contraction"])
def test_methods_refute_a_stronger_statement_where_they_attain_it(id: str) -> None:
    assert witness(next(strengthened(theorem(id))), FEW)[0].verdict is Verdict.VIOLATED


@pytest.mark.slow
@pytest.mark.parametrize("id", ["eg-sc", "ev-posterior", "bounded-delay"])
def test_rates_made_5_percent_too_strong_are_refuted_by_runs(id: str) -> None:
    assert witness(next(strengthened(theorem(id))), FEW)[0].verdict is Verdict.VIOLATED


def test_savings_stand_beside_those_of_random_walks() -> None:
    shares = {
        comparison.setting: comparison.measured
        for comparison in compare(theorem("adaptive-invariance"), FEW)
        if "share" in comparison.setting
    }

    assert {name.split(",")[0] for name in shares} == {"digits", "random walk"}
    assert 0.2 < shares["random walk, h = 1.0: share of the messages that the rule sends"] < 0.6


def test_norms_that_grow_steadily_are_sent_in_every_pass() -> None:
    assert adaptive_pattern(np.arange(1.0, 80.0), 1.0).all()
    assert not adaptive_pattern(np.arange(1.0, 80.0), 1.5)[29:].any()


@pytest.mark.parametrize("of", [*alike(), *settings()], ids=lambda of: of.name)
def test_fixed_points_solve_their_equation(of: object) -> None:
    gamma = 0.5 * (1 + of.figures.lambda_n) / (of.L + of.mu)  # type: ignore[attr-defined]
    X = settled(of, gamma)  # type: ignore[arg-type]
    again = of.W @ X - gamma * of.problem.local_gradients(X)  # type: ignore[attr-defined]

    np.testing.assert_allclose(again, X, atol=1e-9 * (1 + np.max(np.abs(X))))
