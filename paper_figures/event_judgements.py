"""Verdicts on the claims about event-triggered messages (dossier 4.11) from the numbers that decide them."""

from collections.abc import Mapping

from .verdicts import Check, Finding

__all__ = [
    "on_accuracy",
    "on_compression",
    "on_guarantee",
    "on_messages",
    "on_parallel",
    "on_tuning",
    "on_workers",
]

# What the words of the claims are taken to mean.
MARGIN = 1e-9  # relative, for inequalities between numbers that carry rounding errors
POINTS = 0.1  # by how much a share may miss the claimed one
SAME_ACCURACY = 0.01  # what "the same accuracy" may differ by
SAME_LOSS = 1.01  # what "unaffected" leaves of a loss, relative to D-PSGD
TOLERABLE = 1.1  # what a rule that "needs no tuning" may lose, relative to D-PSGD, wherever it is set
SAME_PATTERN = 0.0  # share of the events that may differ where a theorem says none does
FURTHER = 0.5  # what "reduces further" leaves of the bits of events alone, at most
REPLAYED = 1e-9  # difference of an entry of an iterate between a run and its replay
ATTAINED = 0.99  # what a run that attains a bound reaches of it


def on_messages(
    id: str,
    claim: str,
    claimed: float,
    nominal: float,
    with_forced: float,
    at_equal_loss: float,
    null: float,
    accuracy: float,
) -> Finding:
    """Savings of the published rule.

    Parameters
    ----------
    id, claim : str
        Which of the two claims of this kind.
    claimed : float
        The saving it states.
    nominal : float
        Share of the messages that are saved at equally many passes, after the forced ones.
    with_forced : float
        The same of all messages, as the paper counts.
    at_equal_loss : float
        Share of all messages that are saved until D-PSGD has the loss at which the rule ends.
    null : float
        What the rule saves on norms that are random walks, no learning involved.
    accuracy : float
        Accuracy of D-PSGD less that of the rule, after equally many passes.
    """
    return Finding(
        id,
        claim,
        ("adaptive-invariance", "pullback-cap"),
        (
            Check("nominal saving, after the forced passes", nominal, lowest=claimed - POINTS),
            Check("accuracy lost", accuracy, highest=SAME_ACCURACY),
            Check("saving at equal loss", at_equal_loss, lowest=claimed - POINTS),
            Check("nominal saving, all messages", with_forced),
            Check("nominal saving on random walks, without learning", null),
            Check("nominal saving beyond that on random walks", nominal - null),
        ),
    )


def on_tuning(worst_loss: Mapping[str, float], differ: float, share_beyond: float) -> Finding:
    """The horizon and the scale.

    Parameters
    ----------
    worst_loss : mapping
        Largest loss over that of D-PSGD, by range of the horizon.
    differ : float
        Share of the events that differ if all norms are scaled and shifted.
    share_beyond : float
        Share of messages of random walks at a horizon just above 1.
    """
    return Finding(
        "C3",
        "The adaptive threshold needs no tuning.",
        ("adaptive-invariance", "horizon-lockout"),
        (
            Check("events that differ between a norm and ten times it", differ, highest=SAME_PATTERN),
            *(Check(f"largest loss over D-PSGD, {name}", r, highest=TOLERABLE) for name, r in worst_loss.items()),
            Check("messages of random walks, h = 1.05", share_beyond),
        ),
    )


def on_accuracy(loss: Mapping[str, float], accuracy: Mapping[str, float]) -> Finding:
    """Loss over that of D-PSGD, and accuracy lost against it, by update, after equally many passes."""
    return Finding(
        "C4",
        "Accuracy is unaffected by the events.",
        ("mean-drift", "pullback-cap", "gossip-sum"),
        (
            *(Check(f"loss over D-PSGD, {name}", ratio, highest=SAME_LOSS) for name, ratio in loss.items()),
            *(Check(f"accuracy lost, {name}", lost, highest=SAME_ACCURACY) for name, lost in accuracy.items()),
        ),
    )


def on_compression(bits: float, accuracy: float, equal_loss: float, choco: float) -> Finding:
    """Events and top-k together.

    Parameters
    ----------
    bits : float
        Bits over those of events alone, after equally many passes.
    accuracy : float
        Accuracy of events alone less that with top-k.
    equal_loss : float
        Bits until the loss at which events with top-k end, over those of events alone until then.
    choco : float
        The same of choco-event.
    """
    return Finding(
        "C5",
        "Top-k at the events reduces the bits further at the same accuracy.",
        ("compressed-staleness", "choco-event"),
        (
            Check("bits over those of events alone", bits, highest=FURTHER),
            Check("accuracy lost against events alone", accuracy, highest=SAME_ACCURACY),
            Check("bits over those of events alone, at equal loss", equal_loss, highest=FURTHER),
            Check("the same, choco-event", choco),
        ),
    )


def on_guarantee(safe: float, attained: float, unsafe: float, posterior: float) -> Finding:
    """Convergence to a ball.

    Parameters
    ----------
    safe : float
        Largest residual of the difference-norm trigger over the bound of `eg-sc`.
    attained : float
        The same of identical workers that start where the trigger never fires.
    unsafe : float
        Distance of the copy in the exact counterexample of the norm-difference trigger, over its threshold.
    posterior : float
        Largest distance of a run with the published trigger over the bound that its own errors prove.
    """
    return Finding(
        "C6",
        "Convergence is guaranteed: the published trigger keeps copies within its threshold.",
        ("eg-sc", "eg-stuck", "norm-diff-unsafe", "ev-posterior"),
        (
            Check("residual over the bound, difference-norm trigger, largest", safe, highest=1 + MARGIN),
            Check("residual over the bound, stuck start", attained, lowest=ATTAINED, highest=1 + MARGIN),
            Check("distance of a copy over the threshold, norm-difference trigger", unsafe, highest=1 + MARGIN),
            Check("distance over what ev-posterior proves, published trigger", posterior, highest=1 + MARGIN),
        ),
    )


def on_parallel(difference: float | None) -> Finding:
    """Largest difference of an entry between a run of processes and its replay; None if there was no run.

    It cannot decide: the claim is about one-sided messages, which may be torn or overwritten, and those here cannot.
    """
    words = "run against its replay, largest difference"
    checks = () if difference is None else (Check(words, difference, highest=REPLAYED),)
    untold = "messages of the processes here are two-sided, whole and in order; one-sided ones are not implemented"
    return Finding(
        "C7",
        "It works with one-sided asynchronous communication.",
        ("latency-staleness", "mass-conservation", "torn-copies"),
        checks,
        untold,
    )


def on_workers(after_forced: Mapping[int, float], loss: Mapping[int, float], claimed: float) -> Finding:
    """Saving after the forced passes, and loss over D-PSGD, by number of workers."""
    return Finding(
        "C8",
        "The saving holds for more workers.",
        ("adaptive-invariance", "optimal-weights"),
        (
            *(
                Check(f"saving after the forced passes, n = {n}", s, lowest=claimed - POINTS)
                for n, s in after_forced.items()
            ),
            *(Check(f"loss over D-PSGD, n = {n}", ratio, highest=SAME_LOSS) for n, ratio in loss.items()),
        ),
    )
