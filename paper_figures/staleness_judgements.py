"""Verdicts on the claims about staled and compressed gradients (dossier 2.7.3) from the numbers that decide them."""

from collections.abc import Mapping

from .verdicts import Check, Finding

__all__ = [
    "on_adaptive_steps",
    "on_ball",
    "on_constants",
    "on_exchange",
    "on_sparsity",
    "on_staleness",
    "on_stored",
    "on_tradeoff",
]

# What the words of the claims are taken to mean.
MARGIN = 1e-9  # relative, for inequalities between numbers that carry rounding errors
ATTAINED = 1e-6  # what a constant called exact may miss: the search ends somewhere
MUCH_SMALLER = 0.1  # what "much smaller than n" is taken to mean
SETTLED = 0.05  # by how much a ratio that has become constant may still change
ABOUT = 2.0  # a slow-down "by about 1 + tau" lies within this factor
FLAT, LINEAR = 2.0, (0.75, 1.1)  # iterations that are "flat" at most double; "linear" is an exponent in this range
FAR_FEWER = 2.0  # what "far fewer bits" is taken to mean
ABOUT_AT_MOST = 1.5  # a gain of "at most about" a number exceeds it by no more than this factor


def on_constants(exact: Mapping[str, float], largest: float, loosest: float) -> Finding:
    """Constants of compressors.

    Parameters
    ----------
    exact : mapping
        Worst moment that a search found over the constant that is called exact, least over all dimensions, by theorem.
    largest : float
        The largest such ratio of all, bounds included.
    loosest : float
        The least ratio of a bound that is not called exact.
    """
    return Finding(
        "constants",
        "The constants of the compressors are exact.",
        tuple(exact),
        (
            *(Check(f"worst found over the constant, {id}, least", r, lowest=1 - ATTAINED) for id, r in exact.items()),
            Check("worst found over the constant or bound, largest", largest, highest=1 + MARGIN),
            Check("worst found over a bound not called exact, least", loosest),
        ),
    )


def on_sparsity(published: Mapping[str, float], exact: Mapping[str, float], weighted: Mapping[str, float]) -> Finding:
    """Constants of sparse data, relative to n = no sparsity, by data; the claim is about the published one.

    Parameters
    ----------
    published, exact : mapping
        min(sigma_F, sigma_Delta), at most, and sigma_coord, over n.
    weighted : mapping
        L_supp over the mean of the L_i.
    """
    return Finding(
        "sparsity",
        "Sparse data help: the published sparsity constant is much smaller than the number of workers.",
        ("sparsity-sigma", "sparsity-order", "sparsity-weighted"),
        (
            *(
                Check(f"published sigma over n, at most, {data}", value, highest=MUCH_SMALLER)
                for data, value in published.items()
            ),
            *(Check(f"exact sigma_coord over n, {data}", value) for data, value in exact.items()),
            *(Check(f"L_supp over the mean of the L_i, {data}", value) for data, value in weighted.items()),
        ),
    )


def on_ball(
    over_bound: float, floors: Mapping[float, float], change: float, heterogeneity: float, published: float
) -> Finding:
    """D-CGD with workers whose gradients do not vanish at the minimiser.

    Parameters
    ----------
    over_bound : float
        Largest expected squared distance over its bound, all along the runs.
    floors : mapping
        Floor of the expected squared distance over the guaranteed residual, by theta.
    change : float
        theta times the floor at the largest theta, over the same at half of it.
    heterogeneity : float
        Floor with gradients twice as large at the minimiser, over four times the floor.
    published : float
        Floor over the published residual with the published step, largest.
    """
    return Finding(
        "ball",
        "D-CGD converges linearly to a ball whose squared radius falls like 1/theta and grows like the squared "
        "gradients at the minimiser.",
        ("dcgd-sc", "dcgd-published", "noise-table"),
        (
            Check("expected squared distance over its bound, largest along all runs", over_bound, highest=1 + MARGIN),
            *(Check(f"floor over the guaranteed one, theta = {t:g}", f, highest=1 + MARGIN) for t, f in floors.items()),
            Check("floor over the published one, largest", published, highest=1 + MARGIN),
            Check("theta times the floor, over that at theta/2", change, lowest=1 - SETTLED, highest=1 + SETTLED),
            Check(
                "floor with gradients twice as large, over four times the floor",
                heterogeneity,
                lowest=1 - SETTLED,
                highest=1 + SETTLED,
            ),
        ),
    )


def on_staleness(
    over_guaranteed: Mapping[str, float], slow_downs: Mapping[str, tuple[float, float]], exponents: Mapping[str, float]
) -> Finding:
    """Delays.

    Parameters
    ----------
    over_guaranteed : mapping
        Least exponent of the linear rate over the guaranteed one, by family of delays.
    slow_downs : mapping
        Least and largest slow-down against no delay, over 1 + tau, by family.
    exponents : mapping
        Least exponent in units of gamma mu, by family.
    """
    references = {"constant": 2.0}
    return Finding(
        "staleness",
        "Staleness slows by about 1 + tau and does not destroy the linear rate.",
        ("stale-sc-refined", "stale-sc"),
        (
            *(
                Check(f"exponent over the guaranteed one, {family} delays, least", value, lowest=1 - MARGIN)
                for family, value in over_guaranteed.items()
            ),
            *(
                Check(f"slow-down over 1 + tau, {family} delays, {end}", value, lowest=1 / ABOUT, highest=ABOUT)
                for family, ends in slow_downs.items()
                for end, value in zip(("least", "largest"), ends, strict=True)
            ),
            *(
                Check(f"exponent, {family} delays, least", value, "gamma mu", reference=references.get(family))
                for family, value in exponents.items()
            ),
        ),
    )


def on_tradeoff(flat: Mapping[int, float], slopes: Mapping[int, float], relief: float) -> Finding:
    """Asynchrony against accuracy of the messages.

    Parameters
    ----------
    flat : mapping
        Iterations at the largest variance up to omega_free, over those without compression, by delay.
    slopes : mapping
        Exponent of the iterations in the variance where it is large against omega_free, by delay.
    relief : float
        Slow-down by the strongest compression without delay, over that with the largest delay.
    """
    return Finding(
        "trade-off",
        "The trade-off of asynchrony and accuracy is explicit: iterations are flat up to omega_free, which grows with "
        "the delay, then linear in omega.",
        ("tradeoff-free-compression", "stale-sc"),
        (
            *(Check(f"slow-down up to omega_free, tau = {tau}", value, highest=FLAT) for tau, value in flat.items()),
            *(
                Check(f"exponent in omega beyond it, tau = {tau}", value, lowest=LINEAR[0], highest=LINEAR[1])
                for tau, value in slopes.items()
            ),
            Check("slow-down by the same compression without delay, over that with it", relief, lowest=1.0),
        ),
    )


def on_exchange(
    gains: Mapping[tuple[int, float, str], float], guaranteed: Mapping[tuple[int, str], float], gap: float
) -> Finding:
    """Bits to accuracy.

    Parameters
    ----------
    gains : mapping
        Bits of full precision over those of a compressor, by delay, relative gap and name; 0 where it missed the gap.
    guaranteed : mapping
        The same of the bits that theorems guarantee, by delay and name; 0 where they guarantee none.
    gap : float
        What the guarantees are for.
    """
    cases = dict.fromkeys((tau, target) for tau, target, _ in gains)
    best = {case: max((gain, name) for (*at, name), gain in gains.items() if tuple(at) == case) for case in cases}
    return Finding(
        "exchange",
        "Convergence is fast under limited exchange: compressed messages need far fewer bits.",
        ("dcgd-sc", "stale-sc-refined", "noise-table"),
        (
            *(
                Check(f"gain in bits of the best ({name}), tau = {tau}, gap {target:g}", gain, lowest=FAR_FEWER)
                for (tau, target), (gain, name) in best.items()
            ),
            *(
                Check(f"gain in bits, {name}, tau = {tau}, gap {target:g}", gain)
                for (tau, target, name), gain in gains.items()
            ),
            *(
                Check(f"guaranteed gain, {name}, tau = {tau}, squared distance {gap:g}", gain)
                for (tau, name), gain in guaranteed.items()
            ),
        ),
    )


def on_stored(used_once: float, stored: float, own_step: float, own_steps: float) -> Finding:
    """Messages that are stored, under the hold pattern.

    Parameters
    ----------
    used_once, stored, own_step : float
        Factor of the expected squared distance per block at tau = omega = 20: messages used once with their step,
        stored with that step, stored with their own.
    own_steps : float
        Largest factor of stored messages with their own step over a grid of tau and omega.
    """
    return Finding(
        "stored",
        "Stored messages multiply staleness and noise: they diverge at the step at which messages used once converge.",
        ("stale-convex", "stale-stored-convex", "stale-necessary-stored"),
        (
            Check("factor per block, used once", used_once, highest=1 - MARGIN, reference=0.515),
            Check("factor per block, stored, same step", stored, lowest=1 + MARGIN, reference=3.47),
            Check("factor per block, stored, own step", own_step, highest=1 - MARGIN),
            Check("factor per block, stored, own step, largest over tau and omega", own_steps, highest=1 - MARGIN),
        ),
    )


def on_adaptive_steps(
    gains: Mapping[str, tuple[float, float]], gaps: Mapping[str, float], over_bound: Mapping[str, float]
) -> Finding:
    """Steps that follow the delays.

    Parameters
    ----------
    gains : mapping
        Sum of the steps over that of the constant step: the least, and the largest in units of largest over mean
        delay, by rule.
    gaps : mapping
        Mean gap of the constant step over that of the rule, at the end of the runs, by rule.
    over_bound : mapping
        Largest mean gap over its bound, by rule.
    """
    return Finding(
        "adaptive-steps",
        "Delay-adaptive steps beat the worst-case step: by a factor between 1 and about largest over mean delay.",
        ("delay-adaptive-convex", "delay-filter", "delay-budget"),
        (
            *(
                Check(f"sum of steps over the constant one's, {rule}, least", least, lowest=1 - MARGIN)
                for rule, (least, _) in gains.items()
            ),
            *(
                Check(f"the same over largest/mean delay, {rule}, largest", largest, highest=ABOUT_AT_MOST)
                for rule, (_, largest) in gains.items()
            ),
            *(
                Check(f"gap of the constant step over that of {rule}", value, lowest=1.0)
                for rule, value in gaps.items()
            ),
            *(
                Check(f"mean gap over its bound, {rule}", value, highest=1 + MARGIN)
                for rule, value in over_bound.items()
            ),
        ),
    )
