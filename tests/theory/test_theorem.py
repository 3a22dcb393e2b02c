from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from taciturn.theory import catalogue, theorem

GAP = dict(L=1.0, mu=0.1)


def test_evaluate_broadcasts() -> None:
    mu, alpha = np.array([[0.1], [0.2]]), np.array([0.25, 0.5, 1.0])
    guarantee = theorem("topT-pl-rate").evaluate(L=1, mu=mu, alpha=alpha)

    assert guarantee.rate.shape == (2, 3)
    np.testing.assert_allclose(guarantee.rate, 1 - alpha * mu)
    np.testing.assert_allclose(guarantee.bound(10, 2.0), 2 * (1 - alpha * mu) ** 10)
    assert guarantee.iterations(1e-3, 1.0).shape == (2, 3)


@pytest.mark.parametrize(
    ("id", "parameters", "words"),
    [
        ("topT-pl-rate", dict(L=1, mu=2, alpha=0.5), ["mu=2", "(0, L]", "topT-pl-rate"]),
        ("topT-pl-rate", dict(L=-1, mu=0.1, alpha=0.5), ["L=-1", "(0, inf)"]),
        ("topT-pl-rate", dict(L=1, mu=0.1, alpha=0), ["alpha=0", "(0, 1]"]),
        ("topT-pl-rate", dict(L=1, mu=[0.1, 3.0], alpha=0.5), ["mu=3"]),
        ("topT-pl-rate", dict(L=1, mu=0.1), ["needs alpha"]),
        ("topT-pl-rate", dict(L=1, mu=0.1, alpha=0.5, tau=3), ["tau=3", "has the parameters"]),
        ("topT-pl-rate", dict(L=1, mu=float("nan"), alpha=0.5), ["mu=nan", "finite"]),
        ("topT-pl-rate", dict(L=1, mu="0.1", alpha=0.5), ["mu='0.1'", "real number"]),
        ("topT-pl-rate", dict(L=1, mu=0.1 + 0j, alpha=0.5), ["mu=", "real number"]),
        ("topT-pl-rate", dict(L=1, mu=[], alpha=0.5), ["mu=", "not empty"]),
        ("alpha-profile", dict(d=10, T=2.5, effective_sparsity=3), ["T=2.5", "integer"]),
        ("alpha-profile", dict(d=10, T=11, effective_sparsity=3), ["T=11", "[1, d]", "upper end 10"]),
        ("ss-sgd", dict(L=1, mu=0.1, omega=0.5, gradient_noise=1, step_size=0.6), ["step_size=0.6", "upper end 0.5"]),
        ("ef14-cat", dict(L=1, delta=0.75, step_size=0.3), ["step_size=0.3", "upper end 0.25"]),
    ],
)
def test_values_outside_the_range_are_named(id: str, parameters: dict[str, object], words: list[str]) -> None:
    with pytest.raises(ValueError) as caught:
        theorem(id).evaluate(**parameters)

    assert [word for word in words if word not in str(caught.value)] == []


@pytest.mark.parametrize("bad", [0, -1, float("nan"), "x"])
def test_accuracy_and_initial_value_must_be_positive(bad: object) -> None:
    guarantee = theorem("topT-pl-rate").evaluate(**GAP, alpha=0.5)
    for call in (lambda: guarantee.iterations(bad, 1.0), lambda: guarantee.iterations(1e-3, bad)):
        with pytest.raises(ValueError, match=r"eps|initial"):
            call()


def test_a_statement_without_bound_says_so() -> None:
    with pytest.raises(ValueError, match="proj-descent states no bound"):
        theorem("proj-descent").evaluate(L=1, alpha=0.5).bound(3, 1.0)


PARAMETERS = dict(
    L=2.0, mu=0.1, L_tilde=3.0, alpha=0.3, beta=0.3, omega=0.3, alpha_min=0.6, delta=0.3, T=3, d=16, nnz=9,
    effective_sparsity=5.0, effective_dimension=4.0, radius=2.0, c0=10.0, c1=2.0, cost=30.0, dense_cost=500.0,
    efficiency=0.02, gradient_noise=0.01, dissimilarity=1.2, heterogeneity=0.001, noise_smoothness=0.4,
    noise_at_optimum=1e-6, L_restricted=1.5, smallest_efficiency=0.1, largest_efficiency=0.3, relative_step=0.5,
    L_hat=2.0, L_stale=2.0, tau=3, variance=0.5, noise_slope=0.3, noise_floor=1e-5, relative_noise=0.2, young=1.0,
    absolute_noise=1e-3, absolute_error=1e-4, Lambda=1.5, sparsity_sigma=2.0, optimum_gradients=1e-6, workers=4,
    window_norm=5.0, window_count=3, current_weight=0.5, window_weight=0.3, window=2, largest_weight=0.4,
    second_moment_slope=3.0, second_moment_floor=1e-5, max_slope=3.0, max_floor=1e-6, mean_step=0.1,
    mean_square_step=0.01, window_budget=0.5, base_complexity=3.0, noise_complexity=2.0, header=32.0, entry_bits=40.0,
    L_max=3.0, sum_square_weights=0.3, noise_strength=0.4, dissimilarity_inf=0.01, average_degree=2.0, column_count=3,
    k=4, levels=2, base=3.0, smallest_probability=0.2, magnitude_threshold=0.5, spacing=0.1, variance_1=1.0,
    variance_2=2.0, L_Q=2.0, relative_dissimilarity=1.2, absolute_dissimilarity=1e-3, largest_step=0.05,
    copies=3, message_bits=8.0, float_bits=32.0, assignment_scale=2.0, ratio_budget=1.5, objective_exponent=1.5,
    weight_sum=2.0, weight_cost=1.2, weight_exponent=1.0, root_sum=1.5, l1_norm=3.0, entries_per_step=4.0,
    controller_gain=0.2, start_threshold=0.1, l1_bound=5.0, steps=20, traffic_scale=2.0, traffic_budget=3.0, period=4,
    pull=0.3, trigger_threshold=1e-6, contraction_factor=0.5, input=1e-4, spread=1e-4, margin=0.1, bias=1e-6,
    noise_power=1e-10, mixing_rate=0.5, spectral_gap=0.4, disagreement_gain=0.5, uniform_dissimilarity=1e-3,
    gossip_sum=2.0, lambda_2=0.5, lambda_n=0.3, mixing_pull=1.0, measured_error=1e-6, optimum_dissimilarity=0.1,
    self_weight=0.4, disagreement=1e-10, mixing_strength=1.2, threshold_scale=0.1, error=1.0, norm_threshold=0.1,
    angle_threshold=0.1, relative_threshold=0.5, path=3.0, hold=3, gradient_bound=1.0, mixing_gap=0.5, eigenvalue=0.5,
    movement=0.1, latency=2, tracker_threshold=1e-6, span=2, span_rate=0.5, mixing_input=1.0,
    received_noise=1e-6, mean_smoothness=2.0, memory_smoothness=1.5, memory_curvature=0.7, memory_dissimilarity=0.8,
    memory_residual=0.01, residual_at_optimum=0.01, discounted_smoothness=2.0, discounted_curvature=1.0,
    discounted_residual=0.01, memory_norm=0.01, mean_threshold=0.2, target=0.1, discount=0.9,
)  # fmt: skip


def _given(id: str) -> dict[str, float]:
    needs_step = "step_size" not in theorem(id).defaults
    known = PARAMETERS | ({"step_size": 0.1} if needs_step else {})
    return {p.name: known[p.name] for p in theorem(id).parameters if p.name in known}


@pytest.mark.parametrize("entry", catalogue(), ids=lambda entry: entry.id)
def test_every_theorem_evaluates(entry) -> None:  # type: ignore[no-untyped-def]
    guarantee = entry.evaluate(**_given(entry.id))
    numbers = [guarantee.step_size, guarantee.rate, guarantee.residual, guarantee.decrease, guarantee.value]

    assert all(np.isfinite(number) for number in numbers if number is not None)
    assert entry.latex()
    assert entry.mathml().startswith("<math")


@pytest.mark.parametrize(
    "entry",
    [
        t
        for t in catalogue()
        if t.bound_formula is not None and t.iterations_formula is not None and t.id != "mn-divergence"
    ],
    ids=lambda entry: entry.id,
)
def test_iterations_reach_the_accuracy(entry) -> None:  # type: ignore[no-untyped-def]
    """The bound is below the target after the promised number of iterations, and not yet after half of them."""
    guarantee, initial = entry.evaluate(**_given(entry.id)), 1.7
    eps = (guarantee.residual or 0.0) + 1e-3
    count = guarantee.iterations(eps, initial)

    assert guarantee.bound(count, initial) <= eps * (1 + 1e-9)
    assert guarantee.bound(np.floor(count / 2), initial) > eps


def test_an_accuracy_below_the_residual_is_never_reached() -> None:
    guarantee = theorem("ss-sgd").evaluate(L=1, mu=0.1, omega=0.5, gradient_noise=1.0)

    assert guarantee.iterations(guarantee.residual / 2, 1.0) == np.inf


@pytest.mark.parametrize(
    ("id", "parameters", "eps", "count"),
    [
        ("topT-pl-rate", {"L": 1, "mu": 1, "alpha": 1}, 1e-3, 1),  # rate 0: one step
        ("topT-pl-rate", {"L": 1, "mu": 1e-20, "alpha": 0.5}, 1e-3, np.inf),  # a rate that rounds to 1
        ("topT-pl-rate", {"L": 1, "mu": 0.1, "alpha": 0.5}, 2.0, 0),  # accurate from the start
        ("mn-divergence", {"step_size": 0.1}, 1e-3, np.inf),
        ("dcgd-convex", {"L": 1, "noise_slope": 0, "noise_floor": 1}, 1e-6, np.inf),  # below the residual
        ("ss-convex-rate", {"L": 1, "omega": 1}, 1 / (2e12 + 800), 1e12 + 400),
    ],
)
def test_iterations_at_the_edges(id: str, parameters: dict[str, float], eps: float, count: float) -> None:
    assert theorem(id).evaluate(**parameters).iterations(eps, 1.0) == pytest.approx(count, rel=1e-14)


def test_bits_are_never_negative() -> None:
    guarantee = theorem("cat-bits").evaluate(L=10, mu=1, efficiency=0.1, cost=1)

    assert guarantee.bits(eps=10.0, initial=1.0) == 1.0


@pytest.mark.parametrize(
    "entry",
    [t for t in catalogue() if t.residual is not None and t.bound_formula is not None and t.id != "dcgd-nc-abc"],
    ids=lambda entry: entry.id,
)
def test_the_residual_is_what_the_bound_tends_to(entry) -> None:  # type: ignore[no-untyped-def]
    guarantee = entry.evaluate(**_given(entry.id))

    assert guarantee.bound(1e12, 1.0) == pytest.approx(guarantee.residual, rel=1e-3, abs=1e-9)


@pytest.mark.parametrize(
    "entry",
    [t for t in catalogue() if t.proof is not None and t.step_size is not None and not t.step_size.is_Symbol],
    ids=lambda entry: entry.id,
)
def test_a_theorem_with_another_step_loses_its_certificate(entry) -> None:  # type: ignore[no-untyped-def]
    wrong = replace(entry, step_size=7 * entry.step_size)

    assert not wrong.certificate.check().holds
