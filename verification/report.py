"""One web page with everything that is known about every theorem; it needs no network, no script and no other file."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from importlib.metadata import version
from itertools import groupby
from pathlib import Path
from platform import python_version
from typing import Any

import sympy
from markupsafe import Markup

from taciturn.theory.catalogue import catalogue
from taciturn.theory.certificate import Certificate, Hypothesis, Square
from taciturn.theory.gram import Vector
from taciturn.theory.mathml import clauses, expression_latex, mathml
from taciturn.theory.symbols import Expr, Parameter
from taciturn.theory.theorem import RATE, RESIDUAL, Theorem

from .campaign import Progress
from .evidence import Evidence
from .plots import Plot, plot
from .summary import by_witness, is_flagged, overall, summarise
from .witnesses import WITNESSES

__all__ = ["render_report", "write_report"]

_FORMULAS = {
    "step_size": "step size",
    "rate": "rate",
    "residual": "residual",
    "decrease": "certified decrease",
    "value": "value",
    "bound_formula": "bound after k iterations",
    "iterations_formula": "iterations to accuracy ε",
    "bits": "price of accuracy ε",
}
_LIBRARIES = ("numpy", "scipy", "sympy", "z3-solver", "cvxpy", "clarabel", "PEPit")


@dataclass(frozen=True)
class _Section:
    """What the page says about one theorem."""

    theorem: Theorem
    findings: Mapping[str, Sequence[Evidence]]
    picture: Plot | None

    @property
    def formulas(self) -> list[tuple[str, Expr]]:
        """The formulas of the statement under their names; a step size that is a parameter is among those."""
        # What follows from the rate is written with the rate, not with its formula.
        in_words = replace(self.theorem, rate=RATE, residual=self.theorem.residual and RESIDUAL)
        following = self.theorem if self.theorem.rate is None else in_words
        source = {"bound_formula": following, "iterations_formula": following}
        found = [(title, getattr(source.get(name, self.theorem), name)) for name, title in _FORMULAS.items()]
        return [
            (title, formula)
            for title, formula in found
            if formula is not None and not (title == "step size" and formula.is_Symbol)
        ]

    @property
    def has_relative_curvature(self) -> bool:
        """Whether formulas may be written in ``m = mu/L``."""
        return {"L", "mu"} <= {parameter.name for parameter in self.theorem.parameters}


def write_report(
    evidence: Iterable[Evidence],
    output: Path,
    *,
    theorems: Sequence[Theorem] | None = None,
    figures: Path | None = None,
    captions: Mapping[str, str] | None = None,
    progress: Progress | None = None,
) -> None:
    """Write the page to a file; what was there is replaced only when the new page is complete.

    Parameters
    ----------
    output
        The file, usually ``report.html``.
    evidence, theorems, figures, captions, progress
        As in `render_report`.

    Raises
    ------
    OSError
        If a figure cannot be read or the file cannot be written.
    ValueError
        If the claims cannot be read.
    """
    page = render_report(evidence, theorems=theorems, figures=figures, captions=captions, progress=progress)
    output.parent.mkdir(parents=True, exist_ok=True)
    unfinished = output.with_name(f".{output.name}.unfinished")
    unfinished.write_text(page, encoding="utf-8")
    unfinished.replace(output)


def render_report(
    evidence: Iterable[Evidence],
    *,
    theorems: Sequence[Theorem] | None = None,
    figures: Path | None = None,
    captions: Mapping[str, str] | None = None,
    progress: Progress | None = None,
) -> str:
    """Return the page.

    Two pages from the same evidence differ only in elements of class ``timing``.

    Parameters
    ----------
    evidence
        Findings, in any order.
    theorems
        What the page is about; all of the catalogue if absent.
    figures
        A folder with figures (``*.svg``, else ``*.png``) and claims (``claims.json``: a list of objects with the fields
        ``claim``, ``verdict``, ``reason``, ``theorems`` and ``checks``, a list of what was measured).
    captions
        What each figure shows, by its name; figures come in this order.
    progress
        Called after every theorem.

    Returns
    -------
    str
        HTML.
    """
    theorems = catalogue() if theorems is None else theorems
    known = {entry.id for entry in theorems}
    evidence = sorted(
        (finding for finding in evidence if finding.theorem in known and finding.witness in WITNESSES),
        key=lambda finding: (finding.theorem, list(WITNESSES).index(finding.witness)),
    )
    findings = by_witness(evidence)
    environment = _environment({parameter.name: parameter.tex for entry in theorems for parameter in entry.parameters})
    theorem_page, page = environment.get_template("theorem.html"), environment.get_template("report.html")
    articles = []
    for number, entry in enumerate(theorems, start=1):
        section = _Section(entry, findings.get(entry.id, {}), plot(entry))
        articles.append((entry, Markup(theorem_page.render(section=section))))
        if progress is not None:
            progress(entry.id, number, len(theorems))
    return str(
        page.render(
            summary=summarise(evidence),
            flagged=[finding for finding in evidence if is_flagged(finding)],
            subjects=[(subject, list(group)) for subject, group in groupby(articles, key=lambda part: part[0].subject)],
            findings=findings,
            claims=_claims(figures),
            ids=known,
            figures=_figures(figures, captions or {}),
            libraries=[("Python", python_version()), *((name, version(name)) for name in _LIBRARIES)],
        )
    )


def _environment(names: Mapping[str, str]) -> Any:
    """The templates, with everything that turns mathematics into markup; `names` says how parameters are printed."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    notation = _Notation(names)

    @cache
    def tex(latex: str, display: bool = False) -> Markup:
        return Markup(mathml(latex, display=display))

    def formula(expression: sympy.Basic, display: bool = False) -> Markup:
        return tex(notation.expression(expression), display)

    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        tex=tex,
        formula=formula,
        latex=notation.expression,
        factor=notation.factor,
        squared=notation.squared,
        range=notation.range,
        clauses=clauses,
        html=Markup,
        facts=lambda details: {name: fact for name, fact in details.items() if name != "cells"},
        json=partial(json.dumps, ensure_ascii=False),
        numbered=_numbered,
        cell=_cell,
    )
    environment.tests["flagged"] = is_flagged
    environment.globals.update(WITNESSES=tuple(WITNESSES), overall=overall)
    return environment


@dataclass(frozen=True)
class _Notation:
    """How formulas are printed: `tex` by the name of a parameter."""

    tex: Mapping[str, str]

    def expression(self, expression: sympy.Basic) -> str:
        return expression_latex(expression, self.tex)

    def factor(self, expression: Expr) -> str:
        """As one factor of a product."""
        latex = self.expression(expression)
        return rf"\left({latex}\right)" if expression.is_Add else latex

    def squared(self, square: Square) -> str:
        """The square without its weight."""
        vector = self.expression(square.vector)
        return rf"\left\lVert {vector}\right\rVert^2" if square.vector.has(Vector) else rf"\left({vector}\right)^2"

    def range(self, entry: Parameter) -> str:
        """A parameter and where it lives."""
        domain = entry.domain
        ends = (None if end is None else self.expression(sympy.sympify(end)) for end in (domain.lower, domain.upper))
        lower, upper = ends
        if domain.integer:
            return rf"{entry.tex}\in\{{{lower},\dots{'' if upper is None else ',' + upper}\}}"
        infinity = r"\infty"
        left = r"\left(" if domain.lower_open or lower is None else r"\left["
        right = r"\right)" if domain.upper_open or upper is None else r"\right]"
        return rf"{entry.tex}\in{left}{'-' * (lower is None)}{lower or infinity},\,{upper or infinity}{right}"


def _numbered(certificate: Certificate) -> dict[Hypothesis, str]:
    """The names by which the lines refer to the hypotheses."""
    return {hypothesis: f"H{number}" for number, hypothesis in enumerate(certificate.hypotheses, start=1)}


def _cell(record: Mapping[str, Any]) -> str:
    """The parameters of one measurement in words."""
    parameters = ", ".join(f"{name} = {value:g}" for name, value in record.get("parameters", {}).items())
    steps = record.get("steps")
    return parameters + (f"; {steps} steps" if steps is not None and steps > 1 else "")


def _claims(folder: Path | None) -> list[dict[str, Any]]:
    if folder is None or not (path := folder / "claims.json").exists():
        return []
    fields = ("claim", "verdict", "reason", "theorems", "checks")
    try:
        return [{name: record[name] for name in fields} for record in json.loads(path.read_bytes())]
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{path} is no list of claims ({type(error).__name__}: {error})") from error


def _figures(folder: Path | None, captions: Mapping[str, str]) -> list[dict[str, str]]:
    if folder is None or not folder.is_dir():
        return []
    files = {path.stem: path for kind in ("png", "svg") for path in sorted(folder.glob(f"*.{kind}"))}
    types = {".png": "image/png", ".svg": "image/svg+xml"}
    order = {name: number for number, name in enumerate(captions)}
    return [
        {
            "name": name,
            "caption": captions.get(name, ""),
            "source": f"data:{types[path.suffix]};base64,{base64.b64encode(path.read_bytes()).decode()}",
        }
        for name, path in sorted(files.items(), key=lambda file: (order.get(file[0], len(order)), file[0]))
    ]
