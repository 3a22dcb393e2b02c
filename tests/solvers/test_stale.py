import numpy as np
import pytest

from taciturn.solvers.array import Stream
from taciturn.solvers.compressors import Bernoulli, RandK, TopK
from taciturn.solvers.delays import (
    Constant,
    Cyclic,
    Deterministic,
    Exponential,
    HeavyTail,
    Hold,
    ParameterServer,
    Pareto,
    RampPlateau,
    RoundRobin,
    Trace,
    Uniform,
    Worker,
)
from taciturn.solvers.methods import (
    Capped,
    DelayFilter,
    Dense,
    FillWindow,
    Fixed,
    MiniBatch,
    Noisy,
    OneOverDelay,
    StaleGradient,
    adaptive_steps,
    run,
    stale_step_size,
)
from taciturn.solvers.partition import split_iid
from taciturn.solvers.problems import heterogeneous_quadratic, quadratic, quadratic_with_spectrum, ridge_regression
from taciturn.solvers.second_moment import NoiseModel, second_moments
from taciturn.theory import theorem
from taciturn.theory.compression import Unbiased

PROBLEM = heterogeneous_quadratic(workers=3, d=4, L=1.0, mu=0.2, spread=1.0, seed=1, weights=[0.2, 0.3, 0.5])
X0 = np.array([1.0, -2.0, 0.5, 3.0])
RIDGE = ridge_regression(*(np.random.default_rng(2).standard_normal(shape) for shape in ((30, 4), 30)), 0.1)
PROBLEMS = {"quadratic": PROBLEM, "ridge": RIDGE.split(split_iid(30, 3, seed=0))}
LAWS = [Deterministic(1.0), Exponential(0.7), Pareto(1.5, 0.5)]
TRACES = {
    "constant": Constant(3).trace(15, 3),
    "cyclic": Cyclic(2).trace(15, 3),
    "uniform": Uniform(4).trace(15, 3, seed=3),
    "heavy tail": HeavyTail(1.2).trace(15, 3, seed=3),
    "stored hold": Hold(3).trace(15, 3).with_stored_messages(),
    "round robin": RoundRobin().trace(15, 3),
    "async": ParameterServer([Worker(law) for law in LAWS]).trace(15, message_bits=8),
    "two at a time": ParameterServer([Worker(law) for law in LAWS], arrivals=2).trace(15, message_bits=8),
    "aggregated": ParameterServer([Worker(law) for law in LAWS], mode="aggregated").trace(15, message_bits=8),
    "one silent at first": Trace(4, 3, [1, 2, 3], [0, 1, 0], [0, 0, 2], [0, 0, 0], [0, 0, 0], stored=True),
}
STEP = 0.1


def iterates(method, problem, iterations, **options):
    return run(method, problem, iterations, record={"x": lambda state: state.x}, **options).recorded["x"]


def naive(problem, trace, compressor, steps, x0):
    """Every model and every message kept, one worker after the other, by the table of delays."""
    models, messages = [x0], {}
    shares = trace.shares(problem.weights)
    for k in range(trace.iterations):
        x = models[k]
        for i in np.flatnonzero(trace.fresh[k]):
            messages[i] = compressor(problem.worker_gradients(models[k - trace.delay[k, i]])[i])
        for i in np.flatnonzero(trace.used[k]):
            x = x - steps[k] * shares[k, i] * messages[i]
        models.append(x)
    return np.stack(models)


@pytest.mark.parametrize("name", PROBLEMS)
@pytest.mark.parametrize("trace", TRACES.values(), ids=TRACES)
def test_a_replay_is_the_naive_loop(trace, name):
    method = StaleGradient(Fixed(TopK(2)), trace, STEP)
    found = iterates(method, PROBLEMS[name], trace.iterations, x0=X0)
    assert found == pytest.approx(
        naive(PROBLEMS[name], trace, TopK(2), [STEP] * trace.iterations, X0), rel=1e-12, abs=1e-12
    )


@pytest.mark.parametrize("trace", TRACES.values(), ids=TRACES)
def test_only_models_still_to_be_read_are_kept(trace):
    method = StaleGradient(Dense(), trace, STEP)
    state = method.init(PROBLEM, X0)
    for k in range(trace.iterations):
        waited_for = set(trace.version[(trace.iteration >= k) & (trace.version <= k)].tolist())
        assert set(state.models) == waited_for
        assert len(state.models) <= trace.history
        state = method.step(PROBLEM, state, Stream(0))


def test_replicas_are_independent_runs_of_the_same_method(xp):
    trace = TRACES["two at a time"]
    starts = np.stack([X0, 2 * X0, -X0])
    problem = PROBLEM.on(xp(starts))
    method = StaleGradient(Fixed(TopK(1)), trace, STEP)
    together = run(method, problem, 15, x0=xp(starts), reference=False)
    xp.assert_in_kind(together.state.x, xp(starts), (3, 4))
    assert together.cost.shape == (15, 3, 3)
    assert (together.cost > 0).sum(axis=-1) == pytest.approx(2)
    for r in range(3):
        alone = run(method, PROBLEM, 15, x0=starts[r])
        assert np.asarray(together.value)[:, r] == pytest.approx(alone.value, rel=1e-12)


@pytest.mark.parametrize("name", ["uniform", "stored hold", "aggregated", "async"])
def test_the_mean_of_many_replicas_is_the_exact_second_moment(name):
    trace, compressor = TRACES[name], RandK(2)
    result = run(
        StaleGradient(Fixed(compressor), trace, STEP), PROBLEM, trace.iterations, x0=np.tile(X0, (5_000, 1)), seed=5
    )
    exact = second_moments(PROBLEM, trace, STEP, NoiseModel.of(compressor, 4), X0)
    squares = result.squared_distance[-1]
    assert abs(squares.mean() - exact.squared_distance[-1]) < 5 * squares.std() / len(squares) ** 0.5


def test_noisy_gradients_have_the_exact_second_moment():
    trace = TRACES["cyclic"]
    method = StaleGradient(Dense(), trace, STEP, oracle=Noisy(2.0))
    result = run(method, PROBLEM, 15, x0=np.tile(X0, (5_000, 1)), seed=6)
    exact = second_moments(PROBLEM, trace, STEP, NoiseModel(gradient_noise=2.0), X0).squared_distance[-1]
    squares = result.squared_distance[-1]
    assert abs(squares.mean() - exact) < 5 * squares.std() / len(squares) ** 0.5


def test_mini_batches_are_unbiased():
    problem, points = PROBLEMS["ridge"], np.tile(X0, (1000, 3, 1))
    drawn = MiniBatch(3).gradients(problem, points, Stream(0))
    error = np.abs(drawn.mean(axis=0) - problem.worker_gradients(X0))
    assert (error < 5 * drawn.std(axis=0) / 1000**0.5).all()
    with pytest.raises(TypeError, match="mini-batches need a linear model"):
        MiniBatch(3).gradients(PROBLEM, points, Stream(0))


def test_coins_of_a_message_belong_to_it_if_it_has_a_seed():
    trace = TRACES["uniform"]
    method = StaleGradient(Fixed(Bernoulli(2)), trace, STEP, message_seed=7)
    assert (iterates(method, PROBLEM, 15, seed=0) == iterates(method, PROBLEM, 15, seed=1)).all()
    other = StaleGradient(Fixed(Bernoulli(2)), trace, STEP, message_seed=8)
    assert (iterates(method, PROBLEM, 15) != iterates(other, PROBLEM, 15)).any()


# ---- step sizes ----


@pytest.mark.parametrize(
    ("mu", "stored", "identifier"),
    [
        (0.2, False, "stale-sc"),
        (0.0, False, "stale-convex"),
        (0.2, True, "stale-stored-sc"),
        (0.0, True, "stale-stored-convex"),
    ],
)
def test_the_default_step_is_that_of_the_theorem(mu, stored, identifier):
    problem = quadratic(np.diag([1.0, mu])[None].repeat(2, 0), np.zeros((2, 2)))
    trace = Hold(4).trace(20, 2)
    trace = trace.with_stored_messages() if stored else trace
    parameters = {"L_hat": 1.0, "noise_slope": 2 * 3.0 * 0.5, "noise_floor": 0.0, "tau": 4}
    if mu:
        parameters["mu"] = mu
    known = theorem(identifier).evaluate(**parameters).step_size
    assert stale_step_size(problem, Unbiased(3.0), trace) == pytest.approx(float(known), rel=1e-12)


DELAYS = {"hold": Hold(4), "constant": Constant(4), "ramp": RampPlateau(4), "uniform": Uniform(4)}


@pytest.mark.parametrize("variance", [0.0, 4.0])
@pytest.mark.parametrize("delays", DELAYS.values(), ids=DELAYS)
def test_bounds_hold_exactly_at_the_default_step(delays, variance):
    K = 60
    trace, noise = delays.trace(K, 2, seed=0), NoiseModel.exact_variance(variance)
    common = np.array([[1.0, -1.0]] * 2)  # a common minimiser: no noise floor, theta = 0
    problem = quadratic([[1.0, 0.1], [0.2, 0.1]], common)
    slope = 2 * variance * 0.5
    step = stale_step_size(problem, Unbiased(variance), trace)
    exact = second_moments(problem, trace, step, noise, x0=[3.0, 4.0])
    start = exact.squared_distance[0]
    facts = {"L_hat": problem.L, "noise_slope": slope, "noise_floor": 0.0, "tau": 4, "step_size": step}
    bound = theorem("stale-sc").evaluate(mu=problem.mu, **facts).bound(K, start)
    assert exact.squared_distance[-1] <= bound * (1 + 1e-12)
    average = theorem("stale-convex").evaluate(**facts).bound(K, start)
    assert exact.gap[:-1].mean() <= average * (1 + 1e-12)


def test_stored_messages_diverge_at_the_step_of_fresh_ones():
    tau = omega = 20
    problem, trace = quadratic_with_spectrum([1.0]), Hold(tau).trace(5 * (tau + 1), 1)
    step, noise = 1 / (1 + (1 + 5**0.5) / 2 * tau + omega), NoiseModel.exact_variance(omega)
    fresh = second_moments(problem, trace, step, noise, x0=[1.0]).squared_distance
    stored = second_moments(problem, trace.with_stored_messages(), step, noise, x0=[1.0]).squared_distance
    assert fresh[tau + 1] == pytest.approx(0.515, abs=1e-3)
    assert stored[tau + 1] == pytest.approx(3.47, abs=1e-2)
    assert fresh[-1] < 0.05 < 400 < stored[-1]


@pytest.mark.parametrize("seed", range(5))
def test_adaptive_steps_obey_the_window_rule_and_reach_their_sums(seed):
    rng, H = np.random.default_rng(seed), 0.7
    delay = np.minimum((2 * rng.pareto(1.3, size=400)).astype(int), np.arange(400))
    longest = np.maximum.accumulate(delay)
    k = np.arange(400)
    limits = {
        FillWindow(H): H * (k + 1) / (longest + 1),
        FillWindow(H, 0.6): 0.6 * H * (k + 1) / (longest + 1),
        OneOverDelay(H): longest * H * (k + 1) / (longest + 1) ** 2,
        Capped(FillWindow(H), 0.1): 0 * k,
    }
    for rule, least in limits.items():
        steps = adaptive_steps(rule, delay)
        for j in np.flatnonzero(steps):
            assert steps[j - delay[j] : j + 1].sum() <= H * (1 + 1e-12)
        assert (np.cumsum(steps) >= least * (1 - 1e-12)).all()


@pytest.mark.parametrize("rule", [FillWindow, OneOverDelay])
def test_the_sum_of_gaps_weighted_by_adaptive_steps_is_bounded(rule):
    problem, trace = quadratic([[1.0, 0.01], [0.5, 0.02]], np.zeros((2, 2))), HeavyTail(1.2).trace(300, 2, seed=1)
    x0 = np.array([2.0, 1.0])
    method = StaleGradient(Dense(), trace, rule(1 / problem.L))
    result = run(method, problem, 300, x0=x0)
    steps = adaptive_steps(method.step_size, trace.largest_delay)
    assert steps.sum() > 300 / problem.L / (trace.max_delay + 1)  # of the constant step
    assert steps @ result.gap[:-1] <= 0.5 * float(x0 @ x0) * (1 + 1e-12)


def test_the_delay_filter_accepts_more_than_half_and_keeps_its_bound():
    n, K, problem = 4, 400, quadratic([[1.0, 0.05]] * 4, np.zeros((4, 2)))
    trace = ParameterServer([Worker(Pareto(1.1, 1.0 + 3.0 * i)) for i in range(n)]).trace(K, message_bits=1, seed=2)
    rule = DelayFilter(1 / (2 * n * problem.L), longest=2 * n - 1)
    result = run(StaleGradient(Dense(), trace, rule), problem, K, x0=np.ones(2))
    accepted = adaptive_steps(rule, trace.largest_delay) > 0
    assert trace.max_delay > 2 * n - 1
    assert accepted.sum() > K / 2
    assert result.gap[:-1][accepted].mean() < 2 * n * problem.L * 2.0 / K


# ---- bad input ----

REFUSED = {
    "other workers": (lambda: StaleGradient(Dense(), Constant(1).trace(5, 2), STEP), "the same number"),
    "end of trace": (lambda: StaleGradient(Dense(), Constant(1).trace(3, 3), STEP), "the trace has 3 iterations"),
    "biased": (lambda: StaleGradient(Fixed(TopK(2)), Constant(1).trace(5, 3)), "step_size has no default for messages"),
    "alone": (lambda: StaleGradient(Dense(), TRACES["async"]), "only some of the workers"),
    "negative step": (lambda: StaleGradient(Dense(), Constant(1).trace(5, 3), -1.0), "step_size = -1.0"),
    "zero step": (lambda: StaleGradient(Dense(), Constant(1).trace(5, 3), 0.0), "step_size = 0.0"),
    "infinite budget": (lambda: FillWindow(float("inf")), "budget = inf"),
    "fraction": (lambda: FillWindow(1.0, 1.5), "fraction = 1.5"),
}


@pytest.mark.parametrize(("make", "message"), REFUSED.values(), ids=REFUSED)
def test_what_does_not_fit_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        run(make(), PROBLEM, 5)


def test_a_delay_before_the_start_is_refused():
    with pytest.raises(ValueError, match=r"delay = 2 in iteration 1 is outside the accepted range 0\.\.1"):
        adaptive_steps(FillWindow(1.0), [0, 2])
