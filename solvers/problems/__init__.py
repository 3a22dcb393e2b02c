"""Problems: quadratics and regularised linear models, with constants and certified minimisers; neural networks."""

from .linear_model import LinearModel, logistic_regression, ridge_regression, softmax_regression
from .neural import NeuralNetwork, cnn2, cnn_batch_norm, mlp
from .problem import Constants, Problem, Reference
from .quadratic import Quadratic, heterogeneous_quadratic, quadratic, quadratic_with_spectrum

__all__ = [
    "Constants",
    "LinearModel",
    "NeuralNetwork",
    "Problem",
    "Quadratic",
    "Reference",
    "cnn2",
    "cnn_batch_norm",
    "heterogeneous_quadratic",
    "logistic_regression",
    "mlp",
    "quadratic",
    "quadratic_with_spectrum",
    "ridge_regression",
    "softmax_regression",
]
