"""Top-k selection in ten million entries, against a partition of all of them, a copy, and its memory."""

import sys
import tracemalloc

from ratios import Target, median_seconds, report

# isort: split
import numpy as np

from taciturn.solvers.selection import top_k_indices

D = 10**7
K = D // 100


def main() -> bool:
    gradient = np.random.default_rng(0).standard_normal(D, dtype=np.float32)
    seconds = median_seconds(
        {
            "copy": gradient.copy,
            "argpartition": lambda: np.argpartition(np.abs(gradient), D - K),
            "top_k_indices": lambda: top_k_indices(gradient, K),
        }
    )
    targets = [Target("top_k_indices", "argpartition", 0.5), Target("top_k_indices", "copy", 3)]
    fast = report(f"top-k selection, d = {D}, k = {K}, float32", seconds, targets)
    tracemalloc.start()
    top_k_indices(gradient, K)
    peak = tracemalloc.get_traced_memory()[1] / gradient.nbytes
    tracemalloc.stop()
    print(f"  extra memory / gradient = {peak:.3g} (at most 1.5): {'met' if peak <= 1.5 else 'NOT MET'}")
    return fast and peak <= 1.5


if __name__ == "__main__":
    sys.exit(not main())
