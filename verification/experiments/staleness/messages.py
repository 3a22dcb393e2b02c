"""What workers send in the experiments of dossier chapter 2, and what the noise table (3.2) says of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from taciturn.solvers.compressors import QSGD, Bernoulli, Compressor, Identity, Natural, RandK, Ternary
from taciturn.solvers.problems import Problem
from taciturn.solvers.second_moment import NoiseModel
from taciturn.theory.compression import Unbiased

from .problems import disagreement, largest_weighted

__all__ = ["Messages", "any_law", "exact", "independent", "independent_noise", "rows", "samplers", "variance"]


@dataclass(frozen=True)
class Messages:
    """Messages of known covariance, with a row of the noise table.

    Parameters
    ----------
    name
        In words.
    noise
        Covariance of a message.
    slope, floor
        B_0 and N_0.
    shared_coins, shifted
        As in `taciturn.solvers.second_moment.second_moments`.
    """

    name: str
    noise: NoiseModel
    slope: float
    floor: float
    shared_coins: bool = False
    shifted: bool = False

    @property
    def table(self) -> Mapping[str, float]:
        """B_0 and N_0 as parameters of a theorem."""
        return {"noise_slope": self.slope, "noise_floor": self.floor}


def variance(compressor: Compressor, d: int) -> float:
    """Return omega of an unbiased compressor."""
    guarantee = compressor.guarantee(d)
    assert isinstance(guarantee, Unbiased)
    return guarantee.variance


def exact(problem: Problem) -> Messages:
    """Return gradients as they are, row 1."""
    return Messages("exact gradients", NoiseModel.of(Identity(), problem.d), 0.0, 0.0)


def independent_noise(
    problem: Problem, omega: float, young: float = 1.0, Lambda: float | None = None
) -> dict[str, float]:
    """Return B_0 and N_0 of independent compressors, row 2; theta counts only where the workers disagree."""
    E, known = disagreement(problem), largest_weighted(problem) if Lambda is None else Lambda
    if E <= 1e-20:
        return {"noise_slope": omega * known, "noise_floor": 0.0}
    return {"noise_slope": omega * known * (1 + young), "noise_floor": omega * (1 + 1 / young) * E}


def independent(problem: Problem, compressor: Compressor, young: float, Lambda: float | None = None) -> Messages:
    """Return messages of independent compressors of known covariance."""
    table = independent_noise(problem, variance(compressor, problem.d), young, Lambda)
    noise = NoiseModel.of(compressor, problem.d)
    return Messages(f"{compressor!r}, theta = {young:g}", noise, table["noise_slope"], table["noise_floor"])


def any_law(problem: Problem, compressor: Compressor, young: float) -> Messages:
    """Return the same messages with what holds for every joint law of full supports, row 3a."""
    omega, squares = variance(compressor, problem.d), np.sum(problem.worker_gradients(problem.minimiser) ** 2, axis=-1)
    L_supp, H = float(problem.weights @ problem.L_i), float(problem.weights / problem.L_i @ squares)
    floor = omega * (1 + 1 / young) * L_supp * H
    name = f"{compressor!r}, theta = {young:g}, any joint law"
    return Messages(name, NoiseModel.of(compressor, problem.d), omega * (1 + young) * L_supp, floor)


def _stochastic(problem: Problem, compressor: Compressor, deviation: float) -> Messages:
    """Return messages of independent compressors for stochastic gradients, row 7 with theta = 1."""
    row, omega = independent(problem, compressor, 1.0), variance(compressor, problem.d)
    model = NoiseModel.of(compressor, problem.d)
    noise = NoiseModel(model.outer, model.diagonal, deviation)
    floor = row.floor + (1 + omega) * float(np.sum(problem.weights**2)) * deviation**2
    return Messages(f"{compressor!r} of gradients of deviation {deviation:g}", noise, row.slope, floor)


def rows(problem: Problem) -> Iterator[Messages]:
    """Yield messages for every row of the noise table whose covariance is linear in the second moments."""
    d = problem.d
    few, half = RandK(max(d // 4, 1)), Bernoulli(d / 2, "uniform")
    yield exact(problem)
    yield independent(problem, few, 1.0)
    yield independent(problem, half, 10.0)
    yield any_law(problem, half, 1.0)
    omega = variance(few, d)
    noise = NoiseModel.of(few, d)
    yield Messages(f"{few!r}, one mask for all", noise, omega * problem.L, 0.0, shared_coins=True)
    slope = omega * largest_weighted(problem)
    yield Messages(f"{few!r} of shifted gradients", noise, slope, 0.0, shifted=True)
    yield _stochastic(problem, half, 0.1 * float(np.sqrt(np.mean(problem.L_i**2))))


def samplers(d: int) -> Mapping[str, Compressor]:
    """Return unbiased compressors that are simulated: their variance depends on the vector."""
    return MappingProxyType(
        {
            "rand-k": RandK(max(d // 4, 1)),
            "optimal coins": Bernoulli(d / 4),
            "ternary": Ternary(),
            "QSGD": QSGD(max(int(d**0.5), 1)),
            "natural": Natural(),
        }
    )
