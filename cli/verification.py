"""Verifying theorems and reporting what was found."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .errors import writable_folder
from .screen import counted, print_json, progress_bar, show

if TYPE_CHECKING:
    from taciturn.verification.evidence import Evidence

__all__ = ["print_findings", "report", "run_campaign", "verify", "write_pages"]

Budget = Annotated[str, typer.Option(help="How hard the witnesses try: quick or full.")]
Jobs = Annotated[int, typer.Option(help="Processes; -1 for one per core.")]
Backend = Annotated[
    str,
    typer.Option(help="Of joblib: loky, or dask (the cluster that DASK_SCHEDULER_ADDRESS names, else a local one)."),
]
Resume = Annotated[
    bool, typer.Option("--resume/--fresh", help="Go on from earlier findings, or start anew and keep them beside.")
]


def verify(
    ids: Annotated[list[str] | None, typer.Argument(metavar="[ID]...", help="Theorems; all of them if absent.")] = None,
    subject: Annotated[str | None, typer.Option(help="All theorems of a subject.")] = None,
    witness: Annotated[
        list[str] | None, typer.Option(help="certificate, tightness, attack or experiment; all four if absent.")
    ] = None,
    budget: Budget = "quick",
    output: Annotated[Path, typer.Option(help="File to which findings are appended.")] = Path("out/evidence.jsonl"),
    jobs: Jobs = 1,
    backend: Backend = "loky",
    resume: Resume = True,
    as_json: Annotated[bool, typer.Option("--json", help="Print a summary in JSON.")] = False,
) -> None:
    """Prove, attack and measure theorems; exit status 1 if one is violated or a witness fails."""
    from taciturn.theory import catalogue
    from taciturn.verification.summary import is_flagged, summarise

    chosen = [*(ids or ()), *((entry.id for entry in catalogue(subject)) if subject is not None else ())]
    evidence = run_campaign(chosen or None, witness, budget, output, jobs, backend, resume)
    if as_json:
        print_json(summarise(evidence))
    else:
        print_findings(evidence)
        typer.echo(f"findings: {output}")
    if any(map(is_flagged, evidence)):
        raise typer.Exit(1)


def report(
    evidence: Annotated[Path, typer.Option(help="Findings of `taciturn verify`.")] = Path("out/evidence.jsonl"),
    figures: Annotated[Path, typer.Option(help="Folder of `taciturn figures`; may be absent.")] = Path("out/figures"),
    output: Annotated[Path, typer.Option(help="The page.")] = Path("out/report.html"),
) -> None:
    """Write one self-contained page about every theorem and everything found, and a summary in JSON beside it."""
    from taciturn.verification.evidence_log import latest_evidence

    if output.suffix != ".html":
        raise ValueError(f"output={output} has the ending {output.suffix!r}; accepted: .html")
    if evidence.resolve() in (output.resolve(), _summary(output).resolve()):
        raise ValueError(f"output={output} and the summary beside it would overwrite the findings in {evidence}")
    write_pages(latest_evidence(evidence), output, figures)


def run_campaign(
    theorems: Iterable[str] | None,
    witnesses: Sequence[str] | None,
    budget: str,
    output: Path,
    jobs: int,
    backend: str,
    resume: bool,
) -> tuple[Evidence, ...]:
    """Run the witnesses behind a bar; an interruption says how to go on."""
    from taciturn.verification.campaign import verify as run
    from taciturn.verification.witnesses import WITNESSES

    try:
        with progress_bar("verifying") as progress:
            return run(
                theorems,
                witnesses=witnesses or tuple(WITNESSES),
                budget=budget,
                output=output,
                jobs=jobs,
                backend=backend,
                resume=resume,
                progress=progress,
            )
    except KeyboardInterrupt:
        typer.echo(
            f"taciturn: interrupted; findings so far are in {output}, the same command goes on from there", err=True
        )
        raise typer.Exit(130) from None


def print_findings(evidence: Sequence[Evidence]) -> None:
    """Print a table, everything flagged, and counts."""
    from taciturn.verification.summary import is_flagged, summarise, summary_table

    show(summary_table(evidence))
    for finding in filter(is_flagged, evidence):
        typer.echo(
            f"{finding.verdict}: {finding.theorem}, {finding.witness}: {' '.join(finding.prose.split())}", err=True
        )
    summary = summarise(evidence)
    counts = ", ".join(f"{count} {verdict}" for verdict, count in summary["verdicts"].items())
    size = f"{counted(summary['theorems'], 'theorem')}, {counted(summary['findings'], 'finding')}"
    typer.echo(f"{size}: {counts}; {summary['seconds']:.0f} s of work")


def write_pages(evidence: Sequence[Evidence], output: Path, figures: Path) -> None:
    """Write the page and the summary."""
    from taciturn.verification.report import write_report
    from taciturn.verification.summary import summarise

    from .figures import captions

    writable_folder(output.parent)
    summary = _summary(output)
    with progress_bar("writing the report") as progress:
        write_report(evidence, output, figures=figures, captions=captions(figures), progress=progress)
    summary.write_text(json.dumps(summarise(evidence), indent=1) + "\n", encoding="utf-8")
    typer.echo(f"report: {output}, {summary}")


def _summary(output: Path) -> Path:
    return output.with_name("summary.json")
