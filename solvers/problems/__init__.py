"""Problems with known constants and certified minimisers: quadratics and regularised linear models."""

from .linear_model import LinearModel, logistic_regression, ridge_regression, softmax_regression
from .problem import Constants, Problem, Reference
from .quadratic import Quadratic, heterogeneous_quadratic, quadratic, quadratic_with_spectrum

__all__ = [
    "Constants",
    "LinearModel",
    "Problem",
    "Quadratic",
    "Reference",
    "heterogeneous_quadratic",
    "logistic_regression",
    "quadratic",
    "quadratic_with_spectrum",
    "ridge_regression",
    "softmax_regression",
]
