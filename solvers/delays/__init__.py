"""Delays: traces of who computed what from which version, models of delays, and a server that produces them."""

from .compute_times import ComputeTime, Deterministic, Exponential, LogNormal, Pareto, ShiftedExponential
from .models import (
    DESTABILISING,
    Constant,
    Cyclic,
    DelayModel,
    Geometric,
    HeavyTail,
    Hold,
    Periodic,
    RampPlateau,
    RoundRobin,
    Uniform,
)
from .server import MODES, Link, ParameterServer, Worker
from .trace import Trace
from .windows import window_count, window_norm

__all__ = [
    "DESTABILISING",
    "MODES",
    "ComputeTime",
    "Constant",
    "Cyclic",
    "DelayModel",
    "Deterministic",
    "Exponential",
    "Geometric",
    "HeavyTail",
    "Hold",
    "Link",
    "LogNormal",
    "ParameterServer",
    "Pareto",
    "Periodic",
    "RampPlateau",
    "RoundRobin",
    "ShiftedExponential",
    "Trace",
    "Uniform",
    "Worker",
    "window_count",
    "window_norm",
]
