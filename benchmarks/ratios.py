"""Run times as ratios within one run: medians of interleaved repetitions, on one thread.

Absolute times differ between machines and between hours; the ratio of two medians whose repetitions alternate does not.
"""

import os
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

# Read by the numerical libraries when they are imported, so this module is imported before them.
for _variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_variable] = "1"


@dataclass(frozen=True)
class Target:
    """The time of one case in units of another, and the limit it is held to, from above or (``at_least``) below."""

    case: str
    reference: str
    limit: float
    at_least: bool = False


def median_seconds(cases: Mapping[str, Callable[[], Any]], repetitions: int = 7) -> dict[str, float]:
    """Return the median time of each case; the cases take turns, after one turn that does not count."""
    seconds: dict[str, list[float]] = {name: [] for name in cases}
    for repetition in range(repetitions + 1):
        for name, run in cases.items():
            start = time.perf_counter()
            run()
            if repetition > 0:
                seconds[name].append(time.perf_counter() - start)
    return {name: statistics.median(times) for name, times in seconds.items()}


def report(title: str, seconds: Mapping[str, float], targets: list[Target]) -> bool:
    """Print the times and the ratios, and say whether all targets are met."""
    print(title)
    width = max(map(len, seconds))
    for name, time_taken in seconds.items():
        print(f"  {name:<{width}}  {1e3 * time_taken:10.2f} ms")
    met = []
    for target in targets:
        ratio = seconds[target.case] / seconds[target.reference]
        met.append(ratio >= target.limit if target.at_least else ratio <= target.limit)
        bound = f"at {'least' if target.at_least else 'most'} {target.limit:g}"
        print(f"  {target.case} / {target.reference} = {ratio:.3g} ({bound}): {'met' if met[-1] else 'NOT MET'}")
    return all(met)
