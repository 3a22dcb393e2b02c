"""Verdicts on the claims about ratios and thresholds (dossier 3.15) from the numbers that decide them."""

from collections.abc import Mapping
from dataclasses import dataclass

from .verdicts import Check, Finding

__all__ = [
    "Saving",
    "on_balance",
    "on_cost",
    "on_different_labels",
    "on_exponent_one",
    "on_prediction",
    "on_ratios",
    "on_thresholds",
]

# What the words of the claims are taken to mean.
RATIOS, THRESHOLDS = 0.2543, 0.1665  # "up to": the best assignment saves as much, by more than its standard deviation
NOTHING = 0.0  # a gain that is one: the mean saving is positive by more than its standard deviation
NEAR = 0.15  # "as predicted": within so many of the iterations of the uniform ratio
WORST_CASE = 0.01  # a gain in the step limit that is one
LESS = 0.0  # savings under a loose budget minus those under a tight one


@dataclass(frozen=True)
class Saving:
    """A saving over the uniform method: mean over seeds, and standard deviation.

    Examples
    --------
    >>> Saving(0.5, 0.25).surely
    0.25
    """

    mean: float
    spread: float

    @property
    def surely(self) -> float:
        """The mean less the standard deviation."""
        return self.mean - self.spread


def on_ratios(savings: Mapping[tuple[str, int, str], Saving], worst_case: Mapping[int, float]) -> Finding:
    """Ratios that follow the volumes.

    Parameters
    ----------
    savings : mapping
        By data, imbalance and exponent, under the tight budget.
    worst_case : mapping
        Savings that the longest safe step guarantees for the best exponent, by imbalance.
    """
    return Finding(
        "dagc-r",
        "DAGC-R: ratios matched to volumes save up to 25.43 % of the iterations of uniform compression.",
        ("gain-formula", "exponent-table", "nuef21-nonconvex"),
        (
            *_best(savings, RATIOS),
            *_all(savings),
            *(Check(f"guaranteed, i^-{a}, exponent 1/2", value) for a, value in worst_case.items()),
        ),
    )


def on_exponent_one(savings: Mapping[tuple[str, int, str], Saving], limits: float) -> Finding:
    """Ratios in proportion to the volumes, which minimise the literal chi-square objective.

    Parameters
    ----------
    savings : mapping
        By data, imbalance and exponent: exponent 1 only.
    limits : float
        Largest gain of exponent 1 over uniform ratios in the measured step limit.
    """
    return Finding(
        "exponent-one",
        "The chi-square objective, ratios in proportion to the volumes, gains over uniform ratios.",
        ("exponent-symmetry", "step-limit", "nu-dcgd"),
        (
            *(
                Check(f"saving less its spread, {data}, i^-{a}", saving.surely, lowest=NOTHING)
                for (data, a, _), saving in savings.items()
            ),
            Check("step limit in the worst case: gain over uniform ratios", limits, lowest=WORST_CASE),
        ),
    )


def on_prediction(savings: Mapping[tuple[str, int], Saving], predicted: Mapping[int, float]) -> Finding:
    """How well the gain formula predicts what exponent 1/2 saves, by data and imbalance."""
    return Finding(
        "gain-formula",
        "The rate depends on how ratios match volumes: exponent 1/2 saves 1 - (sum sqrt p)^2/n of the iterations.",
        ("gain-formula",),
        tuple(
            Check(
                f"saving, {data}, i^-{a} (predicted {predicted[a]:.3f})",
                saving.mean,
                lowest=round(predicted[a] - NEAR, 6),
                highest=round(predicted[a] + NEAR, 6),
            )
            for (data, a), saving in savings.items()
        ),
    )


def on_thresholds(savings: Mapping[tuple[str, int, str], Saving]) -> Finding:
    """Thresholds that fall with the volumes, by data, imbalance and profile, at the same traffic."""
    return Finding(
        "dagc-a",
        "DAGC-A: thresholds matched to volumes save up to 16.65 % of the iterations of a uniform threshold.",
        ("thr-one-step", "thr-optimal", "thr-controller"),
        (*_best(savings, THRESHOLDS), *_all(savings)),
    )


def on_balance(balanced: float, tight: Mapping[str, float], loose: Mapping[str, float]) -> Finding:
    """Where gains vanish.

    Parameters
    ----------
    balanced : float
        Largest difference of a worker's count between exponents for equal volumes.
    tight, loose : mapping
        Mean savings of exponent 1/2 at the strongest imbalance under two budgets, by data.
    """
    return Finding(
        "balance",
        "Gains need imbalance and a tight budget: they vanish for balanced volumes and shrink under a loose budget.",
        ("gain-formula", "waterfill"),
        (
            Check("equal volumes: largest difference of the counts", balanced, "entries", highest=0.0),
            *(
                Check(f"saving under the loose budget less that under the tight one, {data}", value, highest=LESS)
                for data, value in {data: loose[data] - tight[data] for data in tight}.items()
            ),
            *(Check(f"saving under the loose budget, {data}", value) for data, value in loose.items()),
        ),
    )


def on_different_labels(relative: Mapping[str, float], absolute: Mapping[str, float]) -> Finding:
    """Robustness to different labels.

    Parameters
    ----------
    relative, absolute : mapping
        Rounds and entries with the most different labels over those with the most alike, of top-k and of a threshold.
    """
    return Finding(
        "different-labels",
        "Absolute compressors are more robust to different data than relative ones.",
        ("nuef-absolute", "nuef-nonconvex"),
        (
            *(
                Check(f"slow-down in {name} of the threshold over that of top-k", absolute[name] / value, highest=1.0)
                for name, value in relative.items()
            ),
            *(Check(f"slow-down in {name}, top-k", value) for name, value in relative.items()),
            *(Check(f"slow-down in {name}, threshold", value) for name, value in absolute.items()),
        ),
    )


def on_cost() -> Finding:
    """Cost of compression: a timing, which is not the same twice."""
    return Finding(
        "compression-cost",
        "Thresholds are computationally less demanding than top-k.",
        ("thr-l1-rule",),
        (),
        not_testable="timings differ between runs; the figure ratios-time and the benchmarks measure them",
    )


def _best(savings: Mapping[tuple[str, int, str], Saving], wanted: float) -> tuple[Check, ...]:
    """The best of every data set, which has to save as much as is claimed."""
    checks = []
    for data in dict.fromkeys(data for data, _, _ in savings):
        own = {(a, name): saving for (title, a, name), saving in savings.items() if title == data}
        (a, name), saving = max(own.items(), key=lambda item: item[1].surely)
        words = f"best saving less its spread, {data} (i^-{a}, {name})"
        checks.append(Check(words, saving.surely, lowest=wanted))
    return tuple(checks)


def _all(savings: Mapping[tuple[str, int, str], Saving]) -> tuple[Check, ...]:
    return tuple(
        check
        for (data, a, name), saving in savings.items()
        for check in (
            Check(f"saving, {data}, i^-{a}, {name}", saving.mean),
            Check(f"its standard deviation, {data}, i^-{a}, {name}", saving.spread),
        )
    )
