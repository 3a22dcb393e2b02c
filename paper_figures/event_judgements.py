"""Verdicts on the claims about event-triggered messages (dossier 4.11) from the numbers that decide them."""

from collections.abc import Mapping
from dataclasses import dataclass

from .verdicts import Check, Finding

__all__ = [
    "Compression",
    "Saving",
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


@dataclass(frozen=True)
class Saving:
    """What the published rule saves of the messages of D-PSGD, on one model.

    Parameters
    ----------
    nominal : float
        Share of the messages that are saved at equally many passes, after the forced ones.
    with_forced : float
        The same of all messages, as the paper counts.
    at_equal_loss : float
        Share of all messages that are saved until D-PSGD has the loss at which the rule ends.
    spent_after_forced : float
        Messages of the rule over those of D-PSGD until then, both without the forced ones; infinite if that had its
        loss before.
    bits, bits_at_equal_loss : float
        As `with_forced` and `at_equal_loss`, of the bits.
    accuracy, workers_accuracy : float
        Accuracy of D-PSGD less that of the rule, after equally many passes: of the workers' average, which the claim is
        about, and the mean of the workers' own.
    """

    nominal: float
    with_forced: float
    at_equal_loss: float
    spent_after_forced: float
    bits: float
    bits_at_equal_loss: float
    accuracy: float
    workers_accuracy: float


def on_messages(id: str, claim: str, claimed: float, savings: Mapping[str, Saving], null: float) -> Finding:
    """Savings of the published rule.

    Parameters
    ----------
    id, claim : str
        Which of the two claims of this kind.
    claimed : float
        The saving it states.
    savings : mapping
        By model.
    null : float
        What the rule saves on norms that are random walks, no learning involved.
    """
    checks = [Check("nominal saving on random walks, without learning", null)]
    for model, saving in savings.items():
        checks += [
            Check(f"{model}: nominal saving, after the forced passes", saving.nominal, lowest=claimed - POINTS),
            Check(f"{model}: saving at equal loss", saving.at_equal_loss, lowest=claimed - POINTS),
            Check(f"{model}: accuracy lost", saving.accuracy, highest=SAME_ACCURACY),
            Check(f"{model}: workers' accuracy lost", saving.workers_accuracy),
            Check(f"{model}: nominal saving, all messages", saving.with_forced),
            Check(f"{model}: messages over D-PSGD's at equal loss, after the forced", saving.spent_after_forced),
            Check(f"{model}: nominal saving of bits", saving.bits),
            Check(f"{model}: saving of bits at equal loss", saving.bits_at_equal_loss),
            Check(f"{model}: nominal saving beyond that on random walks", saving.nominal - null),
        ]
    return Finding(id, claim, ("adaptive-invariance", "pullback-cap"), tuple(checks))


def on_tuning(worst_loss: Mapping[str, float], differ: Mapping[str, float], share: Mapping[str, float]) -> Finding:
    """The horizon and the scale.

    Parameters
    ----------
    worst_loss : mapping
        Largest loss over that of D-PSGD, by model and range of the horizon.
    differ : mapping
        Share of the events that differ if all norms are scaled, by what is scaled.
    share : mapping
        Share of messages after the forced ones, by where.
    """
    return Finding(
        "C3",
        "The adaptive threshold needs no tuning.",
        ("adaptive-invariance", "horizon-lockout"),
        (
            *(Check(f"events that differ, {name}", part, highest=SAME_PATTERN) for name, part in differ.items()),
            *(Check(f"largest loss over D-PSGD, {name}", r, highest=TOLERABLE) for name, r in worst_loss.items()),
            *(Check(f"messages after the forced, {name}", part) for name, part in share.items()),
        ),
    )


def on_accuracy(
    loss: Mapping[str, float],
    accuracy: Mapping[str, float],
    workers_accuracy: Mapping[str, float],
    disagreement: Mapping[str, float],
) -> Finding:
    """Loss over that of D-PSGD, accuracy lost against it, and disagreement over its own, after equally many passes.

    By model and update. The claim is about the final model, the workers' average; what the mean of the workers' own
    accuracies has lost is said beside it.
    """
    return Finding(
        "C4",
        "Accuracy is unaffected by the events.",
        ("mean-drift", "pullback-cap", "gossip-sum"),
        (
            *(Check(f"loss over D-PSGD, {name}", ratio, highest=SAME_LOSS) for name, ratio in loss.items()),
            *(Check(f"accuracy lost, {name}", lost, highest=SAME_ACCURACY) for name, lost in accuracy.items()),
            *(Check(f"workers' accuracy lost, {name}", lost) for name, lost in workers_accuracy.items()),
            *(Check(f"disagreement over D-PSGD, {name}", ratio) for name, ratio in disagreement.items()),
        ),
    )


@dataclass(frozen=True)
class Compression:
    """What top-k at the events saves of the bits of events alone, on one model.

    Parameters
    ----------
    bits : float
        Bits over those of events alone, after equally many passes.
    accuracy, workers_accuracy : float
        Accuracy of events alone less that with top-k: of the workers' average, and the mean of their own.
    equal_loss : float
        Bits until the loss at which events with top-k end, over those of events alone until then.
    choco : float
        The same of choco-event.
    """

    bits: float
    accuracy: float
    workers_accuracy: float
    equal_loss: float
    choco: float


def on_compression(found: Mapping[str, Compression]) -> Finding:
    """Events and top-k together, by model."""
    checks: list[Check] = []
    for model, one in found.items():
        checks += [
            Check(f"{model}: bits over those of events alone", one.bits, highest=FURTHER),
            Check(f"{model}: accuracy lost against events alone", one.accuracy, highest=SAME_ACCURACY),
            Check(f"{model}: workers' accuracy lost against events alone", one.workers_accuracy),
            Check(f"{model}: bits over those of events alone, at equal loss", one.equal_loss, highest=FURTHER),
            Check(f"{model}: the same, choco-event", one.choco),
        ]
    claim = "Top-k at the events reduces the bits further at the same accuracy."
    return Finding("C5", claim, ("compressed-staleness", "choco-event"), tuple(checks))


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


def on_parallel(
    loss: Mapping[str, float],
    accuracy: Mapping[str, float],
    workers_accuracy: Mapping[str, float],
    lag: float,
    distance: float,
    difference: float | None,
) -> Finding:
    """One-sided windows: late, torn, overwritten, and workers that do not wait for each other.

    Parameters
    ----------
    loss, accuracy, workers_accuracy : mapping
        Loss over that of exact links, and accuracy lost against them, of the workers' average and the mean of their
        own, by what is sent, after equally many passes.
    lag : float
        Ticks by which a copy was behind the record of its sender, most, over those that were injected.
    distance : float
        Largest distance of a copy over what `latency-staleness` allows with the constants of the run.
    difference : float or None
        Largest difference of an entry between a run of processes, with messages that are two-sided, and its replay;
        None if there was no run.
    """
    real = "processes with two-sided messages against their replay, largest difference"
    return Finding(
        "C7",
        "It works with one-sided asynchronous communication.",
        ("latency-staleness", "mass-conservation", "torn-copies"),
        (
            *(Check(f"loss over exact links, {name}", ratio, highest=SAME_LOSS) for name, ratio in loss.items()),
            *(Check(f"accuracy lost, {name}", lost, highest=SAME_ACCURACY) for name, lost in accuracy.items()),
            *(Check(f"workers' accuracy lost, {name}", lost) for name, lost in workers_accuracy.items()),
            Check("staleness over what was injected, largest", lag, highest=1.0),
            Check("distance of a late copy over its bound, largest", distance, highest=1 + MARGIN),
            *(() if difference is None else (Check(real, difference, highest=REPLAYED),)),
        ),
    )


def on_workers(after_forced: Mapping[str, float], loss: Mapping[str, float], claimed: float) -> Finding:
    """Saving after the forced passes, and loss over D-PSGD on the same network, by network and number of workers."""
    return Finding(
        "C8",
        "The saving holds for more workers.",
        ("adaptive-invariance", "pullback-cap", "optimal-weights"),
        (
            *(
                Check(f"saving after the forced passes, {place}", share, lowest=claimed - POINTS)
                for place, share in after_forced.items()
            ),
            *(Check(f"loss over D-PSGD, {place}", ratio, highest=SAME_LOSS) for place, ratio in loss.items()),
        ),
    )
