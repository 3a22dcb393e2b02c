"""Hard thresholds that keep a traffic budget: rules with guarantees, optimal levels, models of magnitudes."""

from .common_level import common_level, profile_thresholds
from .controller import ThresholdController
from .l1_rule import L1Rule, l1_norm
from .magnitudes import GeneralisedGaussian, Laplace, MagnitudeModel, PowerLaw
from .optimal import OptimalThresholds, optimal_thresholds

__all__ = [
    "GeneralisedGaussian",
    "L1Rule",
    "Laplace",
    "MagnitudeModel",
    "OptimalThresholds",
    "PowerLaw",
    "ThresholdController",
    "common_level",
    "l1_norm",
    "optimal_thresholds",
    "profile_thresholds",
]
