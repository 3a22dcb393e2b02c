import itertools

import numpy as np
import pytest

from taciturn.solvers.adversaries import AdaptiveAdversary, ObliviousAdversary, worst_delays
from taciturn.solvers.array import to_numpy
from taciturn.solvers.delays import Constant, Trace, Uniform
from taciturn.solvers.problems import heterogeneous_quadratic, quadratic_with_spectrum
from taciturn.solvers.second_moment import NoiseModel, second_moments

PROBLEM = heterogeneous_quadratic(workers=2, d=2, L=1.0, mu=0.1, spread=1.0, seed=0)
X0 = np.array([2.0, -1.0])


def test_worst_delays_choose_by_their_rule(xp):
    rng = np.random.default_rng(0)
    gradients, distance = rng.standard_normal((4, 5, 3, 2)), rng.standard_normal((5, 2))
    help_given = np.einsum("trnd,rd->trn", gradients, distance)
    excess = (gradients**2).sum(axis=-1) - help_given
    alignment = to_numpy(worst_delays(xp(gradients), xp(distance)))
    np.testing.assert_array_equal(alignment, help_given.argmin(axis=0))
    np.testing.assert_array_equal(to_numpy(worst_delays(xp(gradients), xp(distance), "excess")), excess.argmax(axis=0))


def test_the_oblivious_adversary_does_more_harm_than_chance():
    noise = NoiseModel()
    adversary = ObliviousAdversary(PROBLEM, 0.2, noise, tau=3, x0=X0).trace(25, 2)
    assert adversary.max_delay <= 3
    others = [Constant(3).trace(25, 2), *(Uniform(3).trace(25, 2, seed) for seed in range(5))]
    harm = second_moments(PROBLEM, adversary, 0.2, noise, X0).squared_distance
    assert all(harm[-1] > second_moments(PROBLEM, trace, 0.2, noise, X0).squared_distance[-1] for trace in others)


def test_the_oblivious_adversary_is_greedy():
    trace = ObliviousAdversary(quadratic_with_spectrum([1.0, 0.3]), 0.4, NoiseModel(diagonal=2.0), 2, X0).trace(6, 1)
    for k in range(6):
        harm = []
        for delay in range(min(2, k) + 1):
            tried = np.concatenate([trace.delay[:k], [[delay]]])
            run = second_moments(
                quadratic_with_spectrum([1.0, 0.3]), Trace.from_delays(tried), 0.4, NoiseModel(diagonal=2.0), X0
            )
            harm.append(run.squared_distance[-1])
        assert trace.delay[k, 0] == np.argmax(harm)


@pytest.mark.parametrize("rule", ["alignment", "excess"])
def test_the_adaptive_adversary_reads_the_stale_gradients_of_its_own_run(rule):
    adversary = AdaptiveAdversary(PROBLEM, 0.4, tau=2, x0=X0, rule=rule)
    trace = adversary.trace(15, 2)
    models = [X0]
    for k, i in itertools.product(range(15), range(2)):
        gradients = [PROBLEM.worker_gradients(models[k - delay])[i] for delay in range(min(2, k) + 1)]
        distance = models[k] - PROBLEM.minimiser
        score = [(g @ g if rule == "excess" else 0.0) - g @ distance for g in gradients]
        assert trace.delay[k, i] == np.argmax(score)
        if i == 1:
            read = np.stack([models[k - delay] for delay in trace.delay[k]])
            models.append(models[k] - 0.4 * PROBLEM.average(PROBLEM.local_gradients(read)))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: AdaptiveAdversary(PROBLEM, 0.1, 1, X0).trace(3, 5), "workers = 5; accepted: 2"),
        (lambda: ObliviousAdversary(PROBLEM, 0.1, NoiseModel(), 1, X0).trace(3, 1), "workers = 1; accepted: 2"),
        (lambda: AdaptiveAdversary(PROBLEM, 0.0, 1, X0), "step_size = 0.0"),
        (lambda: AdaptiveAdversary(PROBLEM, 0.1, -1, X0), "tau = -1"),
        (lambda: AdaptiveAdversary(PROBLEM, 0.1, 1, X0, "aligned"), "rule = 'aligned' is unknown"),
        (lambda: ObliviousAdversary(PROBLEM, 0.1, NoiseModel(), -1, X0), "tau = -1"),
    ],
)
def test_bad_input_is_refused_by_name(call, message):
    with pytest.raises(ValueError, match=message):
        call()
