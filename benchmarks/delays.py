"""Events a second of the parameter server, against as many replacements in a heap of as many workers."""

import heapq
import sys

from ratios import Target, median_seconds, report

import numpy as np  # isort: skip  (after ratios, which sets the number of threads)

from taciturn.solvers.delays import Exponential, ParameterServer, Pareto, Worker

LEAST_EVENTS, EVENTS_A_WORKER = 200_000, 5
LEAST_EVENTS_A_SECOND = 200_000  # for 1,000 workers
LARGEST_RATIO = 8.0


def server_of(workers):
    laws = [Exponential(1.0), Exponential(3.0), Pareto(1.5, 0.5)]
    return ParameterServer([Worker(laws[i % 3]) for i in range(workers)])


def main() -> bool:
    met = []
    seconds_an_event = {}
    for workers in (10, 100, 1_000, 10_000, 100_000):
        server = server_of(workers)
        events = max(LEAST_EVENTS, EVENTS_A_WORKER * workers)
        durations = np.random.default_rng(0).exponential(size=events).tolist()

        def simulate(server=server, events=events):
            server.trace(events, message_bits=1000)

        def begin(server=server):
            server.trace(1, message_bits=1000)

        def replace(workers=workers, durations=durations):
            heap = [(durations[i], i) for i in range(workers)]
            heapq.heapify(heap)
            for duration in durations:
                time, worker = heap[0]
                heapq.heapreplace(heap, (time + duration, worker))

        seconds = median_seconds({"events": simulate, "start": begin, "heapreplace": replace}, repetitions=5)
        met.append(report(f"{workers} workers", seconds, [Target("events", "heapreplace", LARGEST_RATIO)]))
        seconds_an_event[workers] = (seconds["events"] - seconds["start"]) / events
        print(f"  {1 / seconds_an_event[workers]:,.0f} events a second")
    fast = 1 / seconds_an_event[1_000] >= LEAST_EVENTS_A_SECOND
    print(f"1000 workers: at least {LEAST_EVENTS_A_SECOND:,} events a second: {'met' if fast else 'NOT MET'}")
    growth = seconds_an_event[100_000] / seconds_an_event[10]
    print(f"cost of an event, 100,000 workers / 10 workers = {growth:.2f}; log 1e5 / log 10 = 5")
    return all(met) and fast


if __name__ == "__main__":
    sys.exit(not main())
