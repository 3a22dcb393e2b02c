"""Theorems put to witnesses: certificates, exact worst cases, attacks, experiments; and checks of compressors.

Examples
--------
>>> from taciturn.verification import verify
>>> (finding,) = verify("topT-sc-exact", witnesses=["certificate"])
>>> finding.verdict
<Verdict.HELD: 'held'>
"""

from __future__ import annotations

from .campaign import verify
from .compressor_check import check_compressor
from .evidence import BUDGETS, Budget, Evidence, Verdict
from .evidence_log import latest_evidence
from .report import write_report
from .summary import summarise, summary_table

__all__ = [
    "BUDGETS",
    "Budget",
    "Evidence",
    "Verdict",
    "check_compressor",
    "latest_evidence",
    "summarise",
    "summary_table",
    "verify",
    "write_report",
]
