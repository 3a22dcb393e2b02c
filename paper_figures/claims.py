"""The papers' headline claims: what was measured here, and a verdict."""

import json
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import adaptive_compression_claims, event_claims, ratios_claims, staleness_claims
from .setting import Progress, Setting
from .table import Table
from .verdicts import Check, Finding

__all__ = ["CLAIMS", "Claims", "markdown", "read", "write"]

_SUBJECTS: tuple[Callable[[Setting, Progress], tuple[Finding, ...]], ...] = (
    adaptive_compression_claims.measure,
    staleness_claims.measure,
    event_claims.measure,
    ratios_claims.measure,
)


@dataclass(frozen=True)
class Claims:
    """The table of claims, an entry of the registry: CSV, JSON and Markdown in place of pictures."""

    name: str
    title: str
    caption: str
    claim: str
    theorems: tuple[str, ...]
    repeatable: bool = True

    def draw(self, folder: Path, setting: Setting, progress: Progress) -> tuple[Path, ...]:
        """Measure everything and write the files."""
        findings = [finding for subject in _SUBJECTS for finding in subject(setting, progress)]
        write(findings, folder / f"{self.name}.json")
        return self.redraw(folder)

    def redraw(self, folder: Path) -> tuple[Path, ...]:
        """Write CSV and Markdown from the JSON file.

        Raises
        ------
        FileNotFoundError, ValueError
            If it is missing or corrupt.
        """
        paths = tuple(folder / f"{self.name}.{kind}" for kind in ("json", "csv", "md"))
        findings = read(paths[0])
        _table(findings).write(paths[1])
        paths[2].write_text(f"# {self.title}\n\n{self.caption}\n\n{markdown(findings)}", encoding="utf-8")
        return paths


def write(findings: Iterable[Finding], path: Path) -> None:
    """Write findings to a JSON file, numbers with nine digits; null stands for a target that was missed."""
    content = json.dumps([_as_json(finding) for finding in findings], indent=2, allow_nan=False, ensure_ascii=False)
    path.write_text(content + "\n", encoding="utf-8")


def read(path: Path) -> tuple[Finding, ...]:
    """Read findings from the JSON file of claims.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is corrupt.
    """
    try:
        return tuple(_from_json(entry) for entry in json.loads(path.read_text(encoding="utf-8")))
    except (KeyError, TypeError, json.JSONDecodeError) as error:
        raise ValueError(f"{path} is corrupt: {error}; draw the claims anew") from error


def markdown(findings: Iterable[Finding]) -> str:
    """Return the findings as Markdown: a table of verdicts, then the numbers of each claim."""
    findings = tuple(findings)
    lines = ["| claim | data | verdict | why |", "|---|---|---|---|"]
    lines += [
        f"| {finding.claim} | {finding.data} | **{finding.verdict}** | {finding.reason} |" for finding in findings
    ]
    for finding in findings:
        lines += ["", f"## {finding.claim}", "", f"{finding.verdict}: {finding.reason}."]
        lines += ["", f"Theorems: {', '.join(finding.theorems)}.", ""]
        lines += ["| measured | here | criterion | holds | synthetic reference |", "|---|---|---|---|---|"]
        for check in finding.checks:
            holds = ("yes" if check.holds else "no") if check.decides else ""
            reference = "" if check.reference is None else f"{check.reference:.4g}"
            number = f"{check.measured:.4g} {check.unit}".strip()
            lines.append(f"| {check.quantity} | {number} | {check.criterion} | {holds} | {reference} |")
    return "\n".join(lines) + "\n"


def _table(findings: Iterable[Finding]) -> Table:
    rows = [(finding, check) for finding in findings for check in finding.checks]
    return Table.of(
        id=[finding.id for finding, _ in rows],
        claim=[finding.claim for finding, _ in rows],
        data=[finding.data for finding, _ in rows],
        verdict=[str(finding.verdict) for finding, _ in rows],
        quantity=[check.quantity for _, check in rows],
        measured=[float(check.measured) for _, check in rows],
        unit=[check.unit for _, check in rows],
        criterion=[check.criterion for _, check in rows],
        holds=[str(check.holds) if check.decides else "" for _, check in rows],
        synthetic_reference=["" if check.reference is None else f"{check.reference:.9g}" for _, check in rows],
    )


_OPEN = {"measured": math.inf, "lowest": -math.inf, "highest": math.inf, "reference": None}
"""What null stands for in JSON, which has no infinity: a target that was missed, an open end, no reference."""


def _as_json(finding: Finding) -> dict[str, Any]:
    def plain(check: Check, name: str) -> float | None:
        value = getattr(check, name)
        return None if value == _OPEN[name] else float(f"{value:.9g}")

    checks = [
        {"quantity": check.quantity, "unit": check.unit, **{name: plain(check, name) for name in _OPEN}}
        | {"criterion": check.criterion, "holds": check.holds if check.decides else None}
        for check in finding.checks
    ]
    return {
        "id": finding.id,
        "claim": finding.claim,
        "data": finding.data,
        "verdict": str(finding.verdict),
        "reason": finding.reason,
        "theorems": list(finding.theorems),
        "not_testable": finding.not_testable,
        "checks": checks,
    }


def _from_json(entry: dict[str, Any]) -> Finding:
    def numbers(check: dict[str, Any]) -> dict[str, Any]:
        return {name: _OPEN[name] if check[name] is None else check[name] for name in _OPEN}

    checks = tuple(Check(quantity=check["quantity"], unit=check["unit"], **numbers(check)) for check in entry["checks"])
    return Finding(entry["id"], entry["claim"], tuple(entry["theorems"]), checks, entry["not_testable"], entry["data"])


CLAIMS = Claims(
    name="claims",
    title="The papers' claims, measured",
    caption=(
        "Every headline claim with the numbers measured here, on real data or in exact expectation, the criterion each "
        "has to meet, and the verdict that follows. The last column quotes the dossier's numbers on small synthetic "
        "data, for comparison."
    ),
    claim="What holds of the papers' headlines, and what does not.",
    theorems=(
        "alpha-profile",
        "topT-pl-rate",
        "topT-sc-exact",
        "sq-rates",
        "cat-greedy",
        "cat-not-trajectory-optimal",
        "gain-ceiling",
        "ss-order",
        "dynamic-T",
        "mn-neighbourhood",
        "ef21-cat-pl",
        "sparsity-sigma",
        "sparsity-order",
        "dcgd-sc",
        "dcgd-published",
        "noise-table",
        "stale-sc",
        "stale-sc-refined",
        "tradeoff-free-compression",
        "stale-convex",
        "stale-stored-convex",
        "stale-necessary-stored",
        "delay-adaptive-convex",
        "delay-filter",
        "adaptive-invariance",
        "horizon-lockout",
        "pullback-cap",
        "mean-drift",
        "gossip-sum",
        "compressed-staleness",
        "choco-event",
        "eg-sc",
        "eg-stuck",
        "norm-diff-unsafe",
        "ev-posterior",
        "latency-staleness",
        "mass-conservation",
        "torn-copies",
        "optimal-weights",
        "gain-formula",
        "exponent-table",
        "exponent-symmetry",
        "step-limit",
        "nu-dcgd",
        "nuef21-nonconvex",
        "nuef-nonconvex",
        "nuef-absolute",
        "waterfill",
        "thr-one-step",
        "thr-optimal",
        "thr-controller",
        "thr-l1-rule",
    ),  # fmt: skip
)
