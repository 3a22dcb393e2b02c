"""Everything at once."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

from .errors import writable_folder
from .figures import ArrayBackend, Device, draw_figures, print_claims
from .verification import Budget, Jobs, Resume, print_findings, run_campaign, write_pages

__all__ = ["reproduce"]


def reproduce(
    budget: Budget = "quick",
    output: Annotated[Path, typer.Option(help="Folder for everything.")] = Path("out"),
    jobs: Jobs = -1,
    resume: Resume = True,
    backend: ArrayBackend = "numpy",
    device: Device = "cpu",
) -> None:
    """Verify every theorem, draw every figure, measure every claim and write report.html."""
    from taciturn.paper_figures.cache import Cache
    from taciturn.paper_figures.setting import Setting
    from taciturn.verification.summary import is_flagged

    start = time.perf_counter()
    Setting(Cache(output / "figures" / ".cache"), backend, device, budget)  # refused here, not after the witnesses
    folder, drawings = writable_folder(output), writable_folder(output / "figures")
    evidence = run_campaign(None, None, budget, folder / "evidence.jsonl", jobs, "loky", resume)
    print_findings(evidence)
    draw_figures(None, drawings, backend, device, budget, jobs)
    print_claims(drawings)
    write_pages(evidence, folder / "report.html", drawings)
    typer.echo(f"everything in {time.perf_counter() - start:.0f} s")
    if any(map(is_flagged, evidence)):
        raise typer.Exit(1)
