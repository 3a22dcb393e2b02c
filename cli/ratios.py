"""How hard each worker should compress, for the data it holds and one budget."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from .screen import print_json, print_table

if TYPE_CHECKING:
    from taciturn.solvers.ratios import Assignment, Counts, RatioProblem

__all__ = ["ratios"]


def ratios(
    volumes: Annotated[
        str, typer.Option(help="Shares p_i of the data, comma-separated; with --normalise any volumes.")
    ],
    budget: Annotated[
        float, typer.Option(help="What there is to spend: the sum of c_i delta_i, with --dimension of c_i k_i.")
    ],
    normalise: Annotated[bool, typer.Option("--normalise", help="Divide the volumes by their sum.")] = False,
    costs: Annotated[
        str, typer.Option(help="Prices c_i of a full vector (with --dimension of an entry), or one.")
    ] = "1",
    lower: Annotated[str, typer.Option(help="Smallest fractions (with --dimension counts), or one.")] = "",
    upper: Annotated[str, typer.Option(help="Largest fractions (with --dimension counts), or one.")] = "",
    preset: Annotated[str, typer.Option(help="uniform, jensen, tri, cs or chi2: what is optimised.")] = "tri",
    b: Annotated[
        float | None, typer.Option("--b", help="Minimise the sum of p_i / delta_i^b instead of a preset.")
    ] = None,
    dimension: Annotated[int | None, typer.Option(help="Choose whole counts k_i of d entries.")] = None,
    compare: Annotated[bool, typer.Option("--compare", help="Compare all presets.")] = False,
    exact: Annotated[bool, typer.Option("--exact", help="Prove the gap in rational arithmetic.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Assign a fraction kept to every worker, matched to the data it holds, under one budget."""
    from taciturn.solvers.ratios import shares

    p = shares(_numbers(volumes, "volumes"), normalise)
    if dimension is not None:
        if compare or exact:
            raise ValueError("--compare and --exact are of fractions; leave --dimension out")
        _show_counts(_counts(p, budget, dimension, costs, lower, upper, preset, b), p, dimension, as_json)
        return
    limits = {"lower": _one_or_many(lower or "0", "lower"), "upper": _one_or_many(upper or "1", "upper")}
    arguments: dict[str, Any] = {"costs": _one_or_many(costs, "costs"), **limits}
    if compare:
        _show_comparison(p, budget, arguments, as_json)
    else:
        _show_assignment(_assignment(p, budget, arguments, preset, b), p, exact, as_json)


def _assignment(p: Any, budget: float, arguments: dict[str, Any], preset: str, b: float | None) -> Assignment:
    from taciturn.solvers import ratios

    if b is not None:
        return ratios.waterfill(p, budget, b=b, **arguments)
    return ratios.preset(preset, p, budget, **arguments)


def _counts(
    p: Any, budget: float, dimension: int, costs: str, lower: str, upper: str, preset: str, b: float | None
) -> Counts:
    from taciturn.solvers.ratios import Power, assign_counts
    from taciturn.theory.checks import check_choice
    from taciturn.theory.ratio_presets import PRESETS

    check_choice(preset, "preset", tuple(PRESETS))
    chosen = PRESETS[preset]
    if preset == "uniform" and b is None:
        raise ValueError(
            "preset = 'uniform' optimises nothing; with --dimension accepted: 'jensen', 'tri', 'cs', 'chi2'"
        )
    weights, power = (p**chosen.volume_power, chosen.b) if b is None else (p, b)
    return assign_counts(
        weights,
        _whole(budget, "budget"),
        dimension,
        costs=_whole_numbers(costs, "costs"),
        lower=_whole_numbers(lower or "1", "lower"),
        upper=_whole_numbers(upper or str(dimension), "upper"),
        criterion=Power(power),
    )


def _show_assignment(assignment: Assignment, p: Any, exact: bool, as_json: bool) -> None:
    from taciturn.solvers.ratios import predicted_saving, rational_gap

    problem: RatioProblem = assignment.problem
    found: dict[str, Any] = {
        "delta": assignment.delta.tolist(),
        "objective": assignment.objective,
        "criterion": repr(assignment.criterion),
        "multiplier": assignment.multiplier,
        "relative_gap": assignment.relative_gap,
        "budget": problem.budget,
        "unspent": assignment.unspent,
        "at_lower": assignment.at_lower.nonzero()[0].tolist(),
        "at_upper": assignment.at_upper.nonzero()[0].tolist(),
        "predicted_saving": predicted_saving(p),
        "remark": assignment.remark,
    }
    if exact:
        proof = rational_gap(assignment)
        found["rational_gap"] = {"numerator": str(proof.gap.numerator), "denominator": str(proof.gap.denominator)}
    if as_json:
        print_json(found, indent=None)
        return
    limit = [
        "upper" if at_upper else "lower" if at_lower else ""
        for at_lower, at_upper in zip(assignment.at_lower, assignment.at_upper, strict=True)
    ]
    rows = zip(range(len(p)), _words(p), _words(assignment.delta), limit, strict=True)
    print_table(["worker", "share", "fraction kept", "at its limit"], list(rows))
    typer.echo(f"objective   {assignment.objective:.10g}, {assignment.criterion} weighted by the shares")
    typer.echo(f"proven      at most {assignment.relative_gap:.2g} of it above the minimum")
    if exact:
        typer.echo(
            f"rational    at most {float(rational_gap(assignment).relative_gap):.2g} of it, in rational arithmetic"
        )
    typer.echo(f"budget      {problem.budget:g}, of which {assignment.unspent:.2g} is left")
    typer.echo(
        f"saving      {100 * predicted_saving(p):.1f} % of the iterations of the uniform ratio at best, predicted"
    )
    if assignment.remark:
        typer.echo(f"remark      {assignment.remark}")


def _show_counts(found: Counts, p: Any, dimension: int, as_json: bool) -> None:
    if as_json:
        record = {name: getattr(found, name) for name in ("objective", "spent", "budget", "gap", "method", "guarantee")}
        print_json({"counts": found.counts.tolist(), "d": dimension, **record}, indent=None)
        return
    print_table(["worker", "share", "entries"], list(zip(range(len(p)), _words(p), found.counts, strict=True)))
    typer.echo(f"objective   {found.objective:.10g}")
    typer.echo(f"budget      {found.budget}, of which {found.spent} is spent")
    typer.echo(f"guarantee   {found.guarantee} (method {found.method!r}, gap {found.gap:.3g})")


def _show_comparison(p: Any, budget: float, arguments: dict[str, Any], as_json: bool) -> None:
    from dataclasses import asdict

    import numpy as np

    from taciturn.solvers.ratios import memory_cost, preset
    from taciturn.theory.ratio_presets import PRESETS

    fractions = {name: preset(name, p, budget, **arguments).delta for name in PRESETS}
    memory = {name: float(np.dot(p, memory_cost(delta))) for name, delta in fractions.items()}
    # The guaranteed step is 1/(L + A_L), here with L_i = 1.
    saving = {name: 1 - (1 + cost) / (1 + memory["uniform"]) for name, cost in memory.items()}
    if as_json:
        entries = {name: {**asdict(entry), "exponent": entry.exponent} for name, entry in PRESETS.items()}
        print_json([{**entries[name], "memory_cost": memory[name], "saving": saving[name]} for name in PRESETS])
        return
    header = ["preset", "exponent", "memory cost A", "saving", "theorem", "optimises", "status"]
    rows = [
        (name, f"{entry.exponent:.3g}", f"{memory[name]:.6g}", f"{100 * saving[name]:.1f} %")
        + (entry.theorem, entry.optimises, entry.status)
        for name, entry in PRESETS.items()
    ]
    print_table(header, rows)


def _words(numbers: Any) -> list[str]:
    return [f"{number:.6g}" for number in numbers]


def _numbers(text: str, name: str) -> list[float]:
    try:
        return [float(part) for part in text.split(",")]
    except ValueError:
        raise ValueError(f"{name} = {text!r} is no list of numbers; accepted: say 0.5,0.3,0.2") from None


def _one_or_many(text: str, name: str) -> Any:
    numbers = _numbers(text, name)
    return numbers if len(numbers) > 1 else numbers[0]


def _whole_numbers(text: str, name: str) -> Any:
    numbers = [_whole(number, name) for number in _numbers(text, name)]
    return numbers if len(numbers) > 1 else numbers[0]


def _whole(number: float, name: str) -> int:
    if not number.is_integer():
        raise ValueError(f"{name} = {number:g} is no whole number; with --dimension it counts entries")
    return int(number)
