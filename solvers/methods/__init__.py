"""Methods: pure steps on an explicit state, what workers send in them, and one loop that runs them all."""

from .cat import CAT, LogCAT
from .compressed_gradient import CompressedGradient
from .coordinated import CoordinatedCAT
from .dynamic import DynamicT
from .error_feedback import EF21, ErrorFeedback
from .oracle import Exact, MiniBatch, Noisy, Oracle
from .run import Ending, Method, Run, run
from .sender import Dense, Fixed, Sender
from .stale import StaleGradient, StaleState
from .state import Sent, State
from .step_rules import (
    Capped,
    DelayFilter,
    FillWindow,
    OneOverDelay,
    StepRule,
    adaptive_steps,
    delay_smoothness,
    stale_step_size,
)

__all__ = [
    "CAT",
    "EF21",
    "Capped",
    "CompressedGradient",
    "CoordinatedCAT",
    "DelayFilter",
    "Dense",
    "DynamicT",
    "Ending",
    "ErrorFeedback",
    "Exact",
    "FillWindow",
    "Fixed",
    "LogCAT",
    "Method",
    "MiniBatch",
    "Noisy",
    "OneOverDelay",
    "Oracle",
    "Run",
    "Sender",
    "Sent",
    "StaleGradient",
    "StaleState",
    "State",
    "StepRule",
    "adaptive_steps",
    "delay_smoothness",
    "run",
    "stale_step_size",
]
