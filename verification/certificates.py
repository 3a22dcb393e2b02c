"""The first witness: the certificate, re-checked exactly."""

from __future__ import annotations

from taciturn.theory.theorem import Theorem

from .evidence import Budget, Evidence, Verdict


def witness(theorem: Theorem, budget: Budget) -> tuple[Evidence, ...]:
    """Check the theorem's certificate.

    Examples
    --------
    >>> from taciturn.theory import theorem
    >>> from taciturn.verification.evidence import BUDGETS
    >>> witness(theorem("topT-pl-rate"), BUDGETS["quick"])[0].verdict
    <Verdict.HELD: 'held'>
    """
    certificate = theorem.certificate
    if certificate is None:
        return (
            Evidence(
                theorem.id,
                "certificate",
                Verdict.NOT_APPLICABLE,
                None,
                f"no certificate: {theorem.no_certificate}",
                0.0,
            ),
        )
    report = certificate.check()
    failed = [f"{line.name}: {line.message}" for line in report.lines if not line.holds]
    prose = (
        f"{len(report.lines)} lines re-checked exactly; scope: {certificate.scope}"
        if report.holds
        else f"{len(failed)} of {len(report.lines)} lines fail: {failed[0]}"
    )
    return (
        Evidence(
            theorem.id,
            "certificate",
            Verdict.HELD if report.holds else Verdict.VIOLATED,
            None,
            prose,
            report.seconds,
            {"lines": len(report.lines), "failed": failed, "scope": certificate.scope},
        ),
    )
