"""Tuning of ten million entries, against a sort of their magnitudes."""

import sys

from ratios import Target, median_seconds, report

# isort: split
import numpy as np

from taciturn.solvers.tune import tune
from taciturn.theory.communication import AffineCost, entry_bits, technology

D = 10**7
BITS = entry_bits("S", D)
UDP_HEADER = 8 * 66


def gradients() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    return {
        "normal": rng.standard_normal(D, dtype=np.float32),
        "heavy-tailed": (rng.standard_normal(D) * rng.pareto(1.5, D)).astype(np.float32),
        "1/j": rng.permutation(1 / np.arange(1, D + 1)).astype(np.float32),
    }


def main() -> bool:
    udp = technology("ethernet-udp")
    costs = {
        "affine, bits and a header": (AffineCost(UDP_HEADER, BITS), 0.5),
        "affine, overhead of 100000 entries": (AffineCost(1e5 * BITS, BITS), 0.5),
        "packets": (udp.cost("S", D), 1.0),
        "packets and overhead": (udp.cost("S", D, c0=1e5 * BITS), 1.0),
        "packets with straddling entries": (udp.cost("S", D, c0=1e5 * BITS, straddling=True), 1.0),
    }
    met = []
    for title, gradient in gradients().items():
        cases = {"sort": lambda g=gradient: np.sort(np.abs(g))}
        cases |= {name: lambda g=gradient, cost=cost: tune(g, cost) for name, (cost, _) in costs.items()}
        targets = [Target(name, "sort", limit) for name, (_, limit) in costs.items()]
        met.append(report(f"tune, d = {D}, float32, {title}", median_seconds(cases), targets))
    return all(met)


if __name__ == "__main__":
    sys.exit(not main())
