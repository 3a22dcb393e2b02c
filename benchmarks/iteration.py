"""One recorded iteration of CAT on sparse logistic regression of the bundled text, against one gradient evaluation."""

import sys

from ratios import Target, median_seconds, report

from taciturn.solvers.data import load_text
from taciturn.solvers.methods import CAT, CompressedGradient, run
from taciturn.solvers.problems import logistic_regression
from taciturn.theory.communication import AffineCost, technology

ITERATIONS = 50


def main() -> bool:
    text = load_text()
    problem = logistic_regression(text.features, text.targets, 1 / len(text.targets))
    packets = technology("ethernet-udp").cost("S", problem.d)
    x = run(CompressedGradient(CAT("S", packets)), problem, 20, reference=False).state.x
    met = []
    for title, cost in {"affine cost": AffineCost(*packets.affine_minorant()), "packets": packets}.items():
        method = CompressedGradient(CAT("S", cost))

        def gradients():
            for _ in range(ITERATIONS + 1):  # a run evaluates at its start, too
                problem.gradient(x)

        def iterations(method=method):
            run(method, problem, ITERATIONS, x0=x, reference=False)

        seconds = median_seconds({"gradients": gradients, "iterations": iterations})
        met.append(report(f"CAT-S, {title}", seconds, [Target("iterations", "gradients", 1.3)]))
    return all(met)


if __name__ == "__main__":
    sys.exit(not main())
