"""Exact expectations on quadratics whose workers are alike, many curvatures at a time."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from taciturn.solvers.delays import Trace
from taciturn.solvers.problems import quadratic_with_spectrum
from taciturn.solvers.second_moment import NoiseModel, second_moments

__all__ = ["mean_square"]


def mean_square(
    curvatures: ArrayLike, trace: Trace, step_size: float, variance: float, workers: int
) -> NDArray[np.float64]:
    """Return E ||x_k - x*||^2 / ||x_0 - x*||^2 for k = 0..K, from a start at equal distance in every coordinate.

    Parameters
    ----------
    curvatures : array_like, shape (m,)
        Of the coordinates, equally many of each.
    trace : Trace
        Of one worker: all workers read the same model.
    step_size : float
        gamma.
    variance : float
        omega of each worker's compressor, which acts on coordinates separately or is `RandK`.
    workers : int
        n, with one and the same function.

    Returns
    -------
    numpy.ndarray, shape (K + 1,)

    Notes
    -----
    The mean of n independent messages of one vector has the variance omega / n, and with a diagonal Hessian every
    coordinate moves by itself: curvature c with the step gamma is curvature 1 with the step c gamma.

    Examples
    --------
    >>> from taciturn.solvers.delays import Constant
    >>> mean_square([1.0], Constant(0).trace(2, 1), step_size=0.5, variance=2.0, workers=2).tolist()
    [1.0, 0.5, 0.25]
    """
    steps = step_size * np.asarray(curvatures, dtype=np.float64)
    moments = second_moments(
        quadratic_with_spectrum([1.0]),
        trace,
        np.broadcast_to(steps, (trace.iterations, len(steps))),
        NoiseModel(diagonal=variance / workers),
        x0=[1.0],
    )
    return np.asarray(moments.squared_distance.mean(axis=-1))
