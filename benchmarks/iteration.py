"""One recorded iteration of CAT on sparse logistic regression of the bundled text, against one gradient evaluation."""

import sys

from ratios import Target, median_seconds, report

from taciturn.solvers.data import load_text
from taciturn.solvers.methods import CAT, CompressedGradient, run
from taciturn.solvers.problems import logistic_regression
from taciturn.theory.communication import AffineCost, entry_bits, technology

ITERATIONS = 50


def main() -> bool:
    text = load_text()
    problem = logistic_regression(text.features, text.targets, 1 / len(text.targets))
    packets = technology("ethernet-udp").cost("S", problem.d)
    bits = AffineCost(c0=8 * 66, c1=entry_bits("S", problem.d))
    x = run(CompressedGradient(CAT("S", bits)), problem, 20, reference=False).state.x
    met = []
    # Packets need a search and a selection, where an affine cost needs a threshold only.
    for title, cost, limit in (("bits", bits, 1.3), ("packets", packets, 2.0)):
        method = CompressedGradient(CAT("S", cost))

        def gradients():
            for _ in range(ITERATIONS + 1):  # a run evaluates at its start, too
                problem.gradient(x)

        def iterations(method=method):
            run(method, problem, ITERATIONS, x0=x, reference=False)

        seconds = median_seconds({"gradients": gradients, "iterations": iterations})
        met.append(report(f"CAT-S, cost in {title}", seconds, [Target("iterations", "gradients", limit)]))
    return all(met)


if __name__ == "__main__":
    sys.exit(not main())
