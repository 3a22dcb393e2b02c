"""Workers, tensors and triggers that the tests of decentralised methods share."""

from taciturn.solvers.decentralised import (
    Adaptive,
    Always,
    Constant,
    DifferenceNorm,
    Every,
    Forced,
    Geometric,
    NormAndAngle,
    NormDifference,
    Path,
    PowerLaw,
    Relative,
    Tensors,
)
from taciturn.solvers.problems import heterogeneous_quadratic
from taciturn.solvers.topology import metropolis, network

LAYERS = Tensors.of({"weight": 3, "bias": 2})
TRIGGERS = {
    "always": Always(),
    "every third": Every(3),
    "norm difference": NormDifference(Constant(0.05)),
    "difference norm": DifferenceNorm(Constant(0.05)),
    "decaying": DifferenceNorm(Geometric(0.2, 0.98)),
    "power law": DifferenceNorm(PowerLaw(0.2, 0.5)),
    "path": Path(Constant(0.05)),
    "relative": Relative(0.8),
    "norm and angle": NormAndAngle(Constant(0.03), Constant(0.03)),
    "forced": Forced(NormDifference(Constant(0.5)), every=4),
    "adaptive": Adaptive(horizon=0.95, warm_up=5),
    "adaptive, safe": Adaptive(horizon=0.95, warm_up=5, measure="distance"),
}


def workers(n=6, d=5, seed=0):
    return heterogeneous_quadratic(workers=n, d=d, L=1.0, mu=0.3, spread=1.0, seed=seed)


def ring(n=6):
    return metropolis(network("ring", n))
