"""Methods: pure steps on an explicit state, what workers send in them, and one loop that runs them all."""

from .cat import CAT, LogCAT
from .compressed_gradient import CompressedGradient
from .coordinated import CoordinatedCAT
from .dynamic import DynamicT
from .error_feedback import EF21, ErrorFeedback, MemoryState
from .memory_steps import absolute_step_size, convex_step_size, ef21_step_size, error_feedback_step_size
from .oracle import Exact, MiniBatch, Noisy, Oracle
from .per_worker import PerWorker, PerWorkerRandK, PerWorkerThresholds, PerWorkerTopK
from .run import Ending, Method, Run, run
from .sender import Dense, Fixed, PerWorkerSender, Sender, worker_guarantees
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
from .threshold_feedback import ThresholdFeedback, ThresholdState

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
    "MemoryState",
    "Method",
    "MiniBatch",
    "Noisy",
    "OneOverDelay",
    "Oracle",
    "PerWorker",
    "PerWorkerRandK",
    "PerWorkerSender",
    "PerWorkerThresholds",
    "PerWorkerTopK",
    "Run",
    "Sender",
    "Sent",
    "StaleGradient",
    "StaleState",
    "State",
    "StepRule",
    "ThresholdFeedback",
    "ThresholdState",
    "absolute_step_size",
    "adaptive_steps",
    "convex_step_size",
    "delay_smoothness",
    "ef21_step_size",
    "error_feedback_step_size",
    "run",
    "stale_step_size",
    "worker_guarantees",
]
