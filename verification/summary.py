"""Evidence in short: counts, one verdict per theorem and witness, a table for the terminal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from .evidence import Evidence, Verdict
from .witnesses import WITNESSES

if TYPE_CHECKING:
    from rich.table import Table

__all__ = ["by_witness", "is_flagged", "overall", "summarise", "summary_table"]

_SEVERITY = (Verdict.VIOLATED, Verdict.NOT_SOLVED, Verdict.HELD, Verdict.NOT_APPLICABLE)
_STYLE = {
    Verdict.HELD: "green",
    Verdict.VIOLATED: "bold white on red",
    Verdict.NOT_SOLVED: "bold yellow",
    Verdict.NOT_APPLICABLE: "dim",
}


def is_flagged(finding: Evidence) -> bool:
    """Whether somebody has to look: the theorem is violated, or a witness came to no answer."""
    return finding.verdict in (Verdict.VIOLATED, Verdict.NOT_SOLVED)


def overall(findings: Iterable[Evidence]) -> tuple[Verdict, float | None]:
    """Return the worst verdict of some findings (at least one), and the largest measured / bound among them.

    Examples
    --------
    >>> held = Evidence("a", "attack", Verdict.HELD, 0.9, "", 0.0)
    >>> overall([held, Evidence("a", "attack", Verdict.NOT_APPLICABLE, None, "", 0.0)])
    (<Verdict.HELD: 'held'>, 0.9)
    """
    findings = tuple(findings)
    ratios = [finding.ratio for finding in findings if finding.ratio is not None]
    return min((finding.verdict for finding in findings), key=_SEVERITY.index), max(ratios, default=None)


def by_witness(evidence: Iterable[Evidence]) -> dict[str, dict[str, list[Evidence]]]:
    """Return the findings by theorem, then by witness."""
    found: dict[str, dict[str, list[Evidence]]] = {}
    for finding in evidence:
        found.setdefault(finding.theorem, {}).setdefault(finding.witness, []).append(finding)
    return found


def summarise(evidence: Iterable[Evidence]) -> dict[str, Any]:
    """Return counts, one result per theorem and witness, and everything flagged, as JSON data."""
    evidence = tuple(evidence)
    results: dict[str, dict[str, Any]] = {}
    for id, witnesses in by_witness(evidence).items():
        results[id] = {}
        for witness, findings in witnesses.items():
            verdict, ratio = overall(findings)
            results[id][witness] = {"verdict": str(verdict), "ratio": ratio}
    flagged = [finding for finding in evidence if is_flagged(finding)]
    return {
        "version": version("taciturn"),
        "theorems": len(results),
        "findings": len(evidence),
        "verdicts": _counts(evidence),
        "witnesses": {name: _counts(finding for finding in evidence if finding.witness == name) for name in WITNESSES},
        "flagged": [
            {name: getattr(finding, name) for name in ("theorem", "witness", "verdict", "prose")} for finding in flagged
        ],
        "results": results,
        "seconds": round(sum(finding.seconds for finding in evidence), 3),
    }


def summary_table(evidence: Iterable[Evidence]) -> Table:
    """Return one row per theorem, one column per witness, for the terminal."""
    from rich.table import Table
    from rich.text import Text

    table = Table("theorem", *WITNESSES, box=None, pad_edge=False, header_style="bold")
    for id, witnesses in by_witness(evidence).items():
        table.add_row(id, *(_cell(Text, witnesses.get(name, [])) for name in WITNESSES))
    return table


def _counts(evidence: Iterable[Evidence]) -> Mapping[str, int]:
    counted = Counter(finding.verdict for finding in evidence)
    return {str(verdict): counted[verdict] for verdict in Verdict}


def _cell(text: Any, findings: list[Evidence]) -> Any:
    if not findings:
        return text("")
    verdict, ratio = overall(findings)
    return text(str(verdict) if ratio is None else f"{verdict} {ratio:.4f}", style=_STYLE[verdict])
