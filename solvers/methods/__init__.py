"""Methods: pure steps on an explicit state, what workers send in them, and one loop that runs them all."""

from .cat import CAT, LogCAT
from .compressed_gradient import CompressedGradient
from .coordinated import CoordinatedCAT
from .dynamic import DynamicT
from .error_feedback import EF21, ErrorFeedback
from .run import Ending, Method, Run, run
from .sender import Dense, Fixed, Sender
from .state import Sent, State

__all__ = [
    "CAT",
    "EF21",
    "CompressedGradient",
    "CoordinatedCAT",
    "Dense",
    "DynamicT",
    "Ending",
    "ErrorFeedback",
    "Fixed",
    "LogCAT",
    "Method",
    "Run",
    "Sender",
    "Sent",
    "State",
    "run",
]
