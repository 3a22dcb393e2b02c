"""What the server and the workers of an asynchronous run agree on."""

from dataclasses import dataclass, field

from ..array import check_choice, check_count, check_positive
from ..compressors import Compressor
from ..delays import MODES, Trace
from ..methods import Exact, Fixed, Oracle, StaleGradient, StepRule
from ..methods.step_rules import check_step_rule

__all__ = ["AsyncSettings"]


@dataclass(frozen=True)
class AsyncSettings:
    """An asynchronous run of n workers and a server, the same object on every rank.

    Parameters
    ----------
    compressor : Compressor
        Of every worker.
    iterations : int
        K, updates of the model.
    step_size : float or StepRule
        A constant, or a rule that looks at the delays that the server measures.
    mode : {"async", "aggregated"}
        What an update uses: the messages that have arrived, once, or the last message of every worker.
    arrivals : int
        New messages that an update waits for.
    seed : int
        Of every coin: the message of worker i at version v has the coins ``Stream([seed, i, v])``.
    oracle : Oracle
        What workers know of their gradients.
    timeout : float
        Seconds after which a message that is due counts as lost.
    start_timeout : float
        Seconds after which processes that have not found each other give up; importing torch takes some of them.

    Raises
    ------
    TypeError, ValueError
        If a count, the mode, the step size or the timeout is outside its range.

    Examples
    --------
    >>> from taciturn.solvers.compressors import TopK
    >>> AsyncSettings(TopK(2), iterations=100, step_size=0.1).mode
    'async'
    """

    compressor: Compressor
    iterations: int
    step_size: float | StepRule
    mode: str = "async"
    arrivals: int = 1
    seed: int = 0
    oracle: Oracle = field(default_factory=Exact)
    timeout: float = 60.0
    start_timeout: float = 120.0

    def __post_init__(self) -> None:
        if not isinstance(self.compressor, Compressor):
            raise TypeError(f"compressor is a {type(self.compressor).__name__}; accepted: such as TopK(10)")
        check_count(self.iterations, "iterations")
        if self.step_size is None:
            raise TypeError("step_size is None; accepted: a number or a rule, delays are not known beforehand")
        check_step_rule(self.step_size)
        check_choice(self.mode, "mode", MODES)
        check_count(self.arrivals, "arrivals")
        check_count(self.seed, "seed", lowest=0)
        check_positive(self.timeout, "timeout")
        check_positive(self.start_timeout, "start_timeout")

    def replay(self, trace: Trace) -> StaleGradient:
        """Return the method that does in one process what a run with this trace did."""
        return StaleGradient(Fixed(self.compressor), trace, self.step_size, self.oracle, message_seed=self.seed)
