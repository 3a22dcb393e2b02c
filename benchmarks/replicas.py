"""Compressing 1000 replicas x 10 workers x d = 100 in one call, against a loop over replicas and workers."""

import sys

from ratios import Target, median_seconds, report

import numpy as np  # isort: skip  (after ratios, which sets the number of threads)

from taciturn.solvers.array import Stream
from taciturn.solvers.compressors import Bernoulli

REPLICAS, WORKERS, D, T = 1000, 10, 100, 10


def main() -> bool:
    gradients = np.random.default_rng(0).standard_normal((REPLICAS, WORKERS, D))
    met = []
    for compressor in (Bernoulli(T), Bernoulli(T, "uniform")):
        stream = Stream(0)

        def call(compressor=compressor, stream=stream):
            return compressor(gradients, stream)

        def loop(compressor=compressor, stream=stream):
            return [[compressor(g, stream) for g in workers] for workers in gradients]

        seconds = median_seconds({"one call": call, "loop": loop}, repetitions=5)
        met.append(report(repr(compressor), seconds, [Target("loop", "one call", 8.0, at_least=True)]))
    return all(met)


if __name__ == "__main__":
    sys.exit(not main())
