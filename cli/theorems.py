"""Reading and evaluating theorems."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .screen import counted, print_json, print_table, progress_bar

if TYPE_CHECKING:
    from taciturn.theory.certificate import CertificateReport, Line
    from taciturn.theory.theorem import Guarantee, Theorem

__all__ = ["evaluate", "show", "theorems"]

_FORMULAS = ("step_size", "rate", "residual", "decrease", "value", "bound", "iterations", "bits")
_MOST = 10**6  # combinations of parameters: more would not fit in the memory


def theorems(
    subject: Annotated[str | None, typer.Option(help="Only this subject, e.g. adaptive-compression.")] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Check every certificate; exit status 1 if one fails.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List the theorems."""
    from taciturn.theory import catalogue

    entries = catalogue(subject)
    reports = _check(entries) if check else {}
    if as_json:
        print_json([_record(entry, reports.get(entry.id)) for entry in entries])
    else:
        header = ["theorem", "kind", "status", "certificate", *(["check"] if check else []), "title"]
        print_table(header, (_row(entry, reports.get(entry.id), check) for entry in entries))
        certified = sum(entry.certificate is not None for entry in entries)
        typer.echo(f"{counted(len(entries), 'theorem')}, {certified} with a certificate")
    failed = [(id, line) for id, report in reports.items() for line in report.lines if not line.holds]
    if check and not as_json:
        lines, seconds = (
            sum(values) for values in zip(*((len(r.lines), r.seconds) for r in reports.values()), strict=True)
        )
        verdict = f"{len(failed)} of {lines} lines fail" if failed else f"all exact, {lines} lines"
        typer.echo(f"checks: {verdict}, {seconds:.1f} s")
    for id, line in failed:
        typer.echo(f"{id}: {line.name}: {line.message}", err=True)
    if failed:
        raise typer.Exit(1)


def show(id: Annotated[str, typer.Argument(metavar="ID", help="E.g. topT-sc-exact.")]) -> None:
    """Show everything about one theorem."""
    from taciturn.theory import theorem

    entry = theorem(id)
    typer.echo(f"{entry.id}: {entry.title}")
    typer.echo(f"  {entry.kind}, {entry.status}; {entry.source}\n")
    typer.echo(f"statement\n  {entry.latex()}")
    _section("assumptions", [f"{assumption.name}: {assumption.statement}" for assumption in entry.assumptions])
    defaults = {name: f", by default {formula}" for name, formula in entry.defaults.items()}
    _section(
        "parameters",
        [f"{p.name} in {p.domain}: {p.meaning}{defaults.get(p.name, '')}" for p in entry.parameters],
    )
    stated = {name: getattr(entry, f"{name}_formula", getattr(entry, name)) for name in _FORMULAS}
    measure = [f"about {entry.measure}"] if entry.measure else []
    _section("formulas", [*measure, *(f"{name} = {value}" for name, value in stated.items() if value is not None)])
    _section("worst case", [entry.tightness] if entry.tightness else [])
    _section("pitfall", [entry.pitfall] if entry.pitfall else [])
    if entry.certificate is None:
        _section("no certificate", [entry.no_certificate])
    else:
        _section(
            f"certificate ({entry.certificate.scope})",
            [text for line in entry.certificate.lines for text in _line(line)],
        )
        _section("what remains", [entry.certificate.remainder] if entry.certificate.remainder else [])
    _section("tests", list(entry.checked_by))


def evaluate(
    id: Annotated[str, typer.Argument(metavar="ID", help="E.g. topT-sc-exact.")],
    parameters: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="NAME=VALUE...", help="L=1, or several values: mu=0.1,0.2 or mu=0.1:1:10 (ten from 0.1 to 1)."
        ),
    ] = None,
    k: Annotated[str | None, typer.Option(help="Iterations, for the bound after them.")] = None,
    eps: Annotated[str | None, typer.Option(help="Accuracy, for the iterations and bits to it.")] = None,
    initial: Annotated[str, typer.Option(help="Value of the measure at the start.")] = "1",
    bits_per_iteration: Annotated[str | None, typer.Option(help="Price of the messages of one iteration.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Numbers of a theorem for given parameters; every combination where there are several values."""
    import numpy as np

    from taciturn.theory import theorem

    entry = theorem(id)
    assignments = [_assignment(text) for text in parameters or ()]
    given = dict(assignments)
    if len(given) < len(assignments):
        raise ValueError(f"{' '.join(parameters or ())} gives a parameter twice; accepted: each once, e.g. mu=0.1,0.2")
    extra = {"k": k, "eps": eps, "initial": initial if k or eps else None, "bits_per_iteration": bits_per_iteration}
    axes = {name: _numbers(name, text) for name, text in (given | extra).items() if text is not None}
    if (size := math.prod(values.size for values in axes.values())) > _MOST:
        raise ValueError(f"these lists and ranges have {size} combinations; accepted: at most {_MOST}")
    combinations = (values.ravel() for values in np.meshgrid(*axes.values(), indexing="ij"))
    grid = {name: values if values.size > 1 else values.item() for name, values in zip(axes, combinations, strict=True)}
    guarantee = entry.evaluate(**{name: grid[name] for name in given})
    results = dict(guarantee.values) | _results(guarantee, {name: grid[name] for name in extra if name in grid})
    shape = np.broadcast_shapes(*(np.shape(value) for value in results.values()))
    columns = {name: np.broadcast_to(value, shape).ravel() for name, value in results.items()}
    rows = [dict(zip(columns, map(float, row), strict=True)) for row in zip(*columns.values(), strict=True)]
    if as_json:
        print_json(rows)
    elif not columns:
        typer.echo(f"{entry.id} states no number: `taciturn show {entry.id}`")
    elif len(rows) == 1:
        width = max(map(len, columns))
        for name, value in rows[0].items():
            typer.echo(f"{name:{width}}  {value:.12g}")
    else:
        print_table(list(columns), ([f"{value:.8g}" for value in row.values()] for row in rows))


def _check(entries: tuple[Theorem, ...]) -> dict[str, CertificateReport]:
    reports = {}
    certificates = {entry.id: entry.certificate for entry in entries if entry.certificate is not None}
    with progress_bar("checking certificates") as progress:
        for number, (id, certificate) in enumerate(certificates.items(), start=1):
            reports[id] = certificate.check()
            progress(id, number, len(certificates))
    return reports


def _row(entry: Theorem, report: CertificateReport | None, check: bool) -> list[str]:
    found = (
        ["" if report is None else f"{'exact' if report.holds else 'FAILS'}, {report.seconds:.2f} s"] if check else []
    )
    certificate = "no" if entry.certificate is None else "yes"
    return [entry.id, entry.kind, entry.status, certificate, *found, entry.title]


def _record(entry: Theorem, report: CertificateReport | None) -> dict[str, Any]:
    record: dict[str, Any] = {name: getattr(entry, name) for name in ("id", "title", "subject", "kind", "status")}
    record |= {"statement": entry.latex(), "source": str(entry.source), "certificate": entry.certificate is not None}
    record["parameters"] = {parameter.name: str(parameter.domain) for parameter in entry.parameters}
    if report is not None:
        record["check"] = {"exact": report.holds, "lines": len(report.lines), "seconds": report.seconds}
    return record


def _section(title: str, lines: list[str]) -> None:
    if lines:
        typer.echo("\n".join((f"\n{title}", *(f"  {line}" for line in lines))))


def _line(line: Line) -> list[str]:
    from taciturn.theory.certificate import Sign

    if isinstance(line, Sign):
        return [f"{line.name}:", f"  {line.expression} {'>' if line.strict else '>='} 0"]
    parts = [f"({term.multiplier}) * [{term.hypothesis.name}]" for term in line.terms]
    parts += [f"({square.weight}) * |{square.vector}|^2" for square in line.squares]
    return [
        f"{line.name}:",
        f"  {line.conclusion}",
        *(f"  {'=+'[i > 0]} {part}" for i, part in enumerate(parts or ["0"])),
    ]


def _assignment(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not (name and equals and value):
        raise ValueError(f"{text!r} is no parameter; accepted: NAME=VALUE, e.g. mu=0.1")
    return name, value


def _numbers(name: str, text: str) -> Any:
    import numpy as np

    from taciturn.theory.checks import check_count

    try:
        if ":" not in text:
            return np.array([float(number) for number in text.split(",")])
        first, last, count = (convert(part) for convert, part in zip((float, float, int), text.split(":"), strict=True))
    except ValueError:
        raise ValueError(f"{name}={text} is no number; accepted: 0.1, or 0.1,0.2, or 0.1:1:10") from None
    check_count(int(count), f"{name}={text}: the number of values", highest=_MOST)
    return np.linspace(first, last, int(count))


def _results(guarantee: Guarantee, extra: Mapping[str, Any]) -> dict[str, Any]:
    """What the theorem says, and what was asked for: bound, iterations, price."""
    fields = ("step_size", "rate", "residual", "decrease", "value")
    found = {name: getattr(guarantee, name) for name in fields if getattr(guarantee, name) is not None}
    found |= extra
    if "k" in extra:
        found["bound"] = guarantee.bound(extra["k"], extra["initial"])
    if "eps" in extra:
        target = (extra["eps"], extra["initial"])
        if guarantee.theorem.iterations_formula is not None:
            found["iterations"] = guarantee.iterations(*target)
        if guarantee.theorem.bits is not None or "bits_per_iteration" in extra:
            found["bits"] = guarantee.bits(*target, extra.get("bits_per_iteration", 1.0))
    return found
