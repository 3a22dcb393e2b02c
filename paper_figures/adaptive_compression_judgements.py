"""Verdicts on the claims about adaptive compression (dossier 1.7) from the numbers that decide them."""

from collections.abc import Mapping, Sequence
from itertools import pairwise

from .adaptive_compression_runs import TITLES
from .verdicts import Check, Finding

__all__ = [
    "on_bounds",
    "on_choice",
    "on_networks",
    "on_orders",
    "on_quantisation",
    "on_rate",
    "on_sampling",
    "on_savings",
    "on_workers",
]

MARGIN = 1e-9  # relative, for inequalities between numbers that carry rounding errors
SPEED_UP = 10.0  # what "much faster than the worst case" is taken to mean
ORDERS = 1e4  # the lower end of "four to five orders of magnitude"
STALLED = 1e-3  # a relative gap above which a run with several workers is stuck
CONVERGED = 1e-6  # one at which it has converged


def on_savings(worst_case: float, gains: Mapping[str, float], floor: float) -> Finding:
    """Sparsification in the worst case and with data.

    Parameters
    ----------
    worst_case : float
        Fewest bits guaranteed for any T and any data, over those of the full gradient.
    gains : mapping
        Bits of the full gradient over those of CAT-S, by data and target.
    floor : float
        Gain at the first gradient that its effective sparsity guarantees.
    """
    references = {"e-mails, gap 0.5": 24.5}
    return Finding(
        "savings",
        "Worst-case analysis says that sparsification saves no bits; data say otherwise.",
        ("topT-pl-rate", "alpha-profile", "cat-vs-fixed-worst-case", "cat-bits-sparsity"),
        (
            Check("guaranteed bits of the best T for any data, over the full gradient's", worst_case, lowest=1.0),
            *(
                Check(f"gain of CAT-S over full gradients, {case}", gain, lowest=1.0, reference=references.get(case))
                for case, gain in gains.items()
            ),
            Check("gain guaranteed at the first gradient by its effective sparsity", floor, reference=5.9),
        ),
    )


def on_rate(speed_ups: Mapping[int, float]) -> Finding:
    """Mean decrease over T/d along runs with fixed T, by T."""
    return Finding(
        "rate",
        "Rates with the data are much faster than the worst case T/d.",
        ("alpha-profile", "topT-pl-rate"),
        tuple(
            Check(f"mean of alpha_k over T/d, fixed T = {T}", value, lowest=SPEED_UP) for T, value in speed_ups.items()
        ),
    )


def on_bounds(ratios: Mapping[str, float]) -> Finding:
    """Largest measured gap over its certified bound, by run."""
    return Finding(
        "bounds",
        "The certified rates hold along every run.",
        ("topT-pl-rate", "topT-sc-exact", "sq-rates"),
        tuple(
            Check(f"largest gap over its bound, {run}", ratio, highest=1.0 + MARGIN) for run, ratio in ratios.items()
        ),
    )


def on_choice(greedy: float, ratios: Mapping[tuple[str, float], float]) -> Finding:
    """CAT against every T at a point, and against the best fixed T along runs.

    Parameters
    ----------
    greedy : float
        Smallest efficiency of CAT's T over that of the best T by trying all.
    ratios : mapping
        Bits of CAT-S over those of the best fixed T, by price and target.
    """
    references = {("ethernet-udp", 0.5): 1.353 / 2.46, ("ethernet-udp", 0.2): 1.66 / 1.62}
    return Finding(
        "choice",
        "CAT needs no more bits than any fixed T.",
        ("cat-greedy", "cat-not-trajectory-optimal"),
        (
            Check("CAT's decrease per bit over the best of all T at a point, smallest", greedy, lowest=1.0 - MARGIN),
            *(
                Check(
                    f"bits of CAT-S over the best fixed T, {TITLES[name]}, gap {target}",
                    ratio,
                    highest=1.0,
                    reference=references.get((name, target)),
                )
                for (name, target), ratio in ratios.items()
            ),
        ),
    )


def on_networks(medians: Mapping[str, float], mismatches: Mapping[tuple[str, str], float]) -> Finding:
    """CAT on different networks.

    Parameters
    ----------
    medians : mapping
        Median T by network, from little to much capacity of a message.
    mismatches : mapping
        Bits when tuned for another network over bits when tuned for the own one, by (own, other).
    """
    references = {"plain": 24.0, "ieee-802.15.4": 39.0, "ethernet-udp": 250.0}
    packets = [medians[name] for name in medians if name != "plain"]
    growth = min(later / earlier for earlier, later in pairwise(packets))
    return Finding(
        "networks",
        "CAT adapts to the technology.",
        ("eff-c0-monotone", "eff-packet", "cat-greedy"),
        (
            Check("median T over that of the next smaller network, smallest", growth, lowest=1.0 + MARGIN),
            Check("bits if tuned for another network, over the own, smallest", min(mismatches.values()), lowest=1.0),
            Check("bits if tuned for another network, over the own, largest", max(mismatches.values()), lowest=2.0),
            *(
                Check(f"median T, {TITLES[name]}", median, "entries", reference=references.get(name))
                for name, median in medians.items()
            ),
        ),
    )


def on_quantisation(ratios: Mapping[tuple[str, str, float], float]) -> Finding:
    """Bits of dynamic T over those of CAT-S+Q, by scale of dynamic T, price and target."""
    references = {"plain": 3.63 / 3.34, "ieee-802.15.4": 7.77 / 3.78, "ethernet-udp": 8.98 / 1.48}
    return Finding(
        "quantisation",
        "S+Q with CAT beats the dynamic T of Alistarh et al.",
        ("sq-rates", "dynamic-T", "beta-adaptive"),
        tuple(
            Check(
                f"bits of dynamic T ({scale} scale) over CAT-S+Q, {TITLES[name]}, gap {target}",
                ratio,
                lowest=1.0,
                reference=references.get(name) if (scale, target) == ("published", 0.5) else None,
            )
            for (scale, name, target), ratio in ratios.items()
        ),
    )


def on_sampling(gains: Mapping[float, float], over_top: Mapping[float, float]) -> Finding:
    """Stochastic sparsification on one node.

    Parameters
    ----------
    gains : mapping
        Bits of the full gradient over those of CAT-SS, by target.
    over_top : mapping
        Bits of CAT-SS over those of CAT-S, by target.
    """
    references = {0.5: 2.8}
    return Finding(
        "sampling",
        "SS with CAT saves bits, though on one node less than S.",
        ("ss-pl-rate", "ss-order"),
        (
            *(
                Check(
                    f"gain of CAT-SS over full gradients, gap {target}",
                    gain,
                    lowest=1.0,
                    reference=references.get(target),
                )
                for target, gain in gains.items()
            ),
            *(
                Check(f"bits of CAT-SS over CAT-S, gap {target}", ratio, lowest=1.0)
                for target, ratio in over_top.items()
            ),
        ),
    )


def on_orders(ceiling: float, gains: Mapping[str, float], information: Sequence[Check]) -> Finding:
    """Orders of magnitude.

    Parameters
    ----------
    ceiling : float
        Largest gain per bit that the dimension allows, without any header.
    gains : mapping
        Measured gains in bits over the full gradient.
    information : sequence of Check
        What explains the gains.
    """
    impossible = f"with d as here the gain per bit is at most {ceiling:.3g}, below {ORDERS:g}, whatever the gradient"
    return Finding(
        "orders",
        "CAT needs four to five orders of magnitude fewer bits than full gradients.",
        ("gain-ceiling",),
        (
            *(Check(f"gain in bits, {name}", gain, lowest=ORDERS) for name, gain in gains.items()),
            Check("largest gain per bit that the dimension allows", ceiling),
            *information,
        ),
        not_testable=impossible if ceiling < ORDERS else "",
    )


def on_workers(
    floor: float, neighbourhood: float, final: Mapping[str, float], over_fixed: float, gains: Mapping[str, float]
) -> Finding:
    """Several workers with dissimilar data.

    Parameters
    ----------
    floor : float
        Smallest relative gap that CAT without memory reached.
    neighbourhood : float
        Largest gap of that run over the bound of `mn-neighbourhood`.
    final : mapping
        Relative gaps that methods with EF21 reached.
    over_fixed : float
        Bits of EF21 with CAT over those of EF21 with a fixed T.
    gains : mapping
        Bits of full gradients over those of EF21 with CAT, by step size.
    """
    return Finding(
        "workers",
        "With several workers CAT saves bits too; on dissimilar data it needs error feedback.",
        ("mn-descent", "mn-neighbourhood", "ef21-cat-pl"),
        (
            Check("relative gap at which CAT without memory stalls", floor, lowest=STALLED, reference=1e-2),
            Check("largest gap of that run over the guaranteed neighbourhood", neighbourhood, highest=1.0 + MARGIN),
            *(Check(f"relative gap reached, {name}", gap, highest=CONVERGED) for name, gap in final.items()),
            *(Check(f"gain over full gradients, {name}", gain, lowest=1.0) for name, gain in gains.items()),
            Check("bits of EF21 with CAT over EF21 with fixed T", over_fixed, highest=1.0, reference=1 / 0.675),
        ),
    )
