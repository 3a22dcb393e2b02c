"""A controller that holds the traffic of thresholds at a budget."""

import math
from dataclasses import dataclass

from ..array import check_non_negative, check_positive

__all__ = ["ThresholdController"]


@dataclass(frozen=True)
class ThresholdController:
    """Multiply the threshold by exp(gain (sent/budget - 1)) after every iteration.

    Parameters
    ----------
    budget : float
        Entries per iteration, positive: of one worker, or of all, with thresholds in proportion to a common level.
    gain : float
        eta, positive.

    Raises
    ------
    TypeError, ValueError
        If an argument is not a positive finite number.

    Notes
    -----
    The mean traffic of K iterations is exactly budget (1 + ln(lambda_K / lambda_0) / (gain K)).
    Source: dossier chapter 3, `thr-controller`.

    Examples
    --------
    >>> controller = ThresholdController(budget=10, gain=0.5)
    >>> controller.threshold(2.0, sent=10), round(controller.threshold(2.0, sent=12), 4)
    (2.0, 2.2103)
    """

    budget: float
    gain: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "budget", check_positive(self.budget, "budget"))
        object.__setattr__(self, "gain", check_positive(self.gain, "gain"))

    def threshold(self, current: float, sent: float) -> float:
        """Return the threshold that follows an iteration with ``sent`` entries under the current one.

        Raises
        ------
        ValueError
            If the threshold is not positive, the number of entries is negative, or the answer leaves double precision.
        """
        current, sent = check_positive(current, "current"), check_non_negative(sent, "sent")
        exponent = self.gain * (sent / self.budget - 1)
        following = current * math.exp(min(exponent, 700.0))
        if not (exponent <= 700 and 0 < following < math.inf):
            raise ValueError(f"gain = {self.gain:g} moves the threshold {current:g} out of double precision; reduce it")
        return following

    def largest_excess(self, l1_bound: float, initial: float, d: int) -> float:
        """Return how many entries more than K budget K iterations can send, for every K.

        Parameters
        ----------
        l1_bound : float
            At least ||g_k||_1 for all k, positive.
        initial : float
            lambda_0, positive.
        d : int
            Dimension, at least the budget.

        Notes
        -----
        (budget/gain) ln^+(l1_bound / (budget lambda_0)) + 2 d, for a worker with error feedback.

        Examples
        --------
        >>> ThresholdController(budget=10, gain=0.5).largest_excess(l1_bound=20.0, initial=2.0, d=100)
        200.0
        """
        check_positive(self.budget, "budget", highest=d)
        ratio = check_positive(l1_bound, "l1_bound") / (self.budget * check_positive(initial, "initial"))
        return self.budget / self.gain * max(math.log(ratio), 0.0) + 2 * d
