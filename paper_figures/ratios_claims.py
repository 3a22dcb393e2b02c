"""The claims about ratios and thresholds matched to data volumes (dossier chapter 3, section 3.15), measured."""

from dataclasses import replace

import numpy as np

from taciturn.theory.ratio_presets import PRESETS

from . import ratios_judgements as judge
from . import ratios_labels as labels_figure
from . import ratios_network as network
from . import ratios_runs as runs
from . import ratios_savings as savings_figure
from . import ratios_step_limits as limits_figure
from .ratios_assignment import shares_of
from .ratios_judgements import Saving
from .setting import Progress, Setting
from .verdicts import Finding

__all__ = ["measure"]

EXPONENTS = {"jensen": "exponent 1/3", "tri": "exponent 1/2", "cs": "exponent 2/3", "chi2": "exponent 1"}
PROFILES = {"threshold, root": "lambda ~ p^-1/2", "threshold, inverse": "lambda ~ 1/p"}
TIGHT, LOOSE = runs.BUDGETS
MEASURED = 3  # parts that take time


def measure(setting: Setting, progress: Progress) -> tuple[Finding, ...]:
    """Make the runs, or take them from the cache, and judge all claims."""
    ratios = _savings(setting, TIGHT, "uniform", EXPONENTS)
    with_network = {**ratios, **_network(setting)}
    loose = _savings(setting, LOOSE, "uniform", {"tri": EXPONENTS["tri"]})
    progress(1, MEASURED)
    thresholds = _savings(setting, TIGHT, "threshold", PROFILES)
    progress(2, MEASURED)
    labels = _labels(setting)
    progress(3, MEASURED)
    data = f"logistic regression: {', '.join(case.title for case in runs.cases())}; {runs.WORKERS} workers"
    with_digits = f"{data}; {network.TITLE}" if network.network_is_here() else data
    findings = (
        judge.on_ratios(with_network, _guaranteed()),
        judge.on_exponent_one(_only(with_network, EXPONENTS["chi2"]), _limit_gain(setting)),
        _prediction(with_network),
        judge.on_thresholds(thresholds),
        _balance(ratios, loose),
    )
    return (
        *(replace(finding, data=with_digits) for finding in findings[:3]),
        *(replace(finding, data=data) for finding in findings[3:]),
        replace(labels, data=f"logistic regression: e-mails; {labels_figure.WORKERS} workers"),
        replace(judge.on_cost(), data="normal numbers"),
    )


def _silent(done: int, total: int) -> None:
    del done, total


def _savings(setting: Setting, budget: str, uniform: str, others: dict[str, str]) -> dict[tuple[str, int, str], Saving]:
    """Savings over a uniform method by data, imbalance and name in words."""
    places = [(case, a, budget) for case in runs.cases() for a in runs.IMBALANCES]
    done = runs.courses(setting, [(*place, name) for place in places for name in (uniform, *others)], _silent)
    savings = {}
    for case, a, _ in places:
        needed = {
            name: [done[case, a, budget, name, seed].iterations for seed in range(runs.SEEDS[setting.budget])]
            for name in (uniform, *others)
        }
        for name, words in others.items():
            saved = runs.saving(needed[uniform], needed[name])
            savings[case.title, a, words] = Saving(float(saved.mean()), float(saved.std(ddof=1)))
    return savings


def _network(setting: Setting) -> dict[tuple[str, int, str], Saving]:
    """The same for the network, where it is here."""
    savings = {}
    for a in runs.IMBALANCES if network.network_is_here() else ():
        needed = {
            name: [network.iterations(setting, a, name, seed) for seed in range(runs.SEEDS[setting.budget])]
            for name in ("uniform", *EXPONENTS)
        }
        for name, words in EXPONENTS.items():
            saved = runs.saving(needed["uniform"], needed[name])
            savings[network.TITLE, a, words] = Saving(float(saved.mean()), float(saved.std(ddof=1)))
    return savings


def _only(savings: dict[tuple[str, int, str], Saving], words: str) -> dict[tuple[str, int, str], Saving]:
    return {key: saving for key, saving in savings.items() if key[2] == words}


def _guaranteed() -> dict[int, float]:
    mean = np.array([runs.BUDGETS[TIGHT]])
    return {a: float(savings_figure.guaranteed(a, mean)[0]) for a in runs.IMBALANCES}


def _limit_gain(setting: Setting) -> float:
    """How much longer the longest step of exponent 1 is than that of uniform ratios under the tightest budget."""
    table = limits_figure.FIGURE.compute(setting, _silent).where(mean=min(limits_figure.MEANS), curve="EF")
    ratio = table.where(preset="chi2")["step"] / table.where(preset="uniform")["step"]
    return float(ratio.max() - 1)


def _prediction(savings: dict[tuple[str, int, str], Saving]) -> Finding:
    best = {(data, a): saving for (data, a, _), saving in _only(savings, EXPONENTS["tri"]).items()}
    return judge.on_prediction(best, {a: savings_figure.predicted(a) for a in runs.IMBALANCES})


def _balance(tight: dict[tuple[str, int, str], Saving], loose: dict[tuple[str, int, str], Saving]) -> Finding:
    d, equal = 1000, shares_of(runs.WORKERS, 0)
    counts = [runs.counts(float(preset.exponent), equal, d, d) for preset in PRESETS.values()]
    strongest, words = max(runs.IMBALANCES), EXPONENTS["tri"]
    under = [
        {data: saving.mean for (data, a, _), saving in _only(savings, words).items() if a == strongest}
        for savings in (tight, loose)
    ]
    return judge.on_balance(float(np.ptp(counts, axis=0).max()), *under)


def _labels(setting: Setting) -> Finding:
    """Slow-downs from the most alike labels to the most different ones."""
    table = labels_figure.FIGURE.compute(setting, _silent)
    different, alike = table["concentration"].min(), table["concentration"].max()
    slow_downs = {
        method: {
            quantity: float(
                np.mean(np.minimum(table.where(concentration=different, method=method)[quantity], worst))
                / np.mean(np.minimum(table.where(concentration=alike, method=method)[quantity], worst))
            )
            for quantity, worst in (("rounds", runs.LONGEST), ("entries", np.inf))
        }
        for method in labels_figure.METHODS
    }
    return judge.on_different_labels(slow_downs["top-k"], slow_downs["threshold"])
