"""Every certificate of the catalogue is exact, and wrong ones are rejected."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from taciturn.theory import Theorem, catalogue
from taciturn.verification.mutation import Mutant, mutants, strengthened

CERTIFIED = [entry for entry in catalogue() if entry.proof is not None]


SAMPLED = [
    pytest.param(entry, id=entry.id, marks=[pytest.mark.slow] * (number % 4 > 0))
    for number, entry in enumerate(CERTIFIED)
]
"""Every fourth; the others are slow tests."""


@pytest.fixture(scope="module", params=CERTIFIED, ids=lambda entry: entry.id)
def entry(request: pytest.FixtureRequest) -> Theorem:
    """One after the other: what is decided about the signs of a theorem serves all tests of it."""
    return request.param


def survivors(wrong: Sequence[Mutant]) -> list[str]:
    return [mutant.change for mutant in wrong if mutant.certificate.holds]


def test_certificates_are_exact(entry: Theorem) -> None:
    report = entry.certificate.check()

    assert report.holds, str(report)


@pytest.mark.parametrize("entry", SAMPLED, indirect=True)
def test_slightly_wrong_certificates_are_rejected(entry: Theorem) -> None:
    wrong = [mutant for mutant in mutants(entry.certificate) if mutant.change.endswith(("by 1.05", "beyond zero"))]

    # Of long proofs a few lines here and there.
    assert survivors(wrong[:: 1 + len(wrong) // 5]) == []


PROVED = {"step_size", "rate", "residual", "decrease", "value", "bound", "bits"}


@pytest.mark.parametrize("entry", SAMPLED, indirect=True)
def test_a_theorem_made_five_percent_stronger_loses_its_certificate(entry: Theorem) -> None:
    still_proved = [
        name
        for wrong in strengthened(entry)
        for name in PROVED
        if getattr(wrong, name) != getattr(entry, name) and wrong.certificate.holds
    ]

    assert still_proved == []


@pytest.mark.slow
def test_wrong_certificates_are_rejected(entry: Theorem) -> None:
    assert survivors(list(mutants(entry.certificate))) == []
