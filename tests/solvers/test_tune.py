"""The best number of entries, against brute force."""

import itertools
import math
from fractions import Fraction

import numpy as np
import pytest
from tuning_cases import FAMILIES, brute_force, decrease, omega, other_costs, preset_costs

from taciturn.solvers import passes
from taciturn.solvers.tune import search, tune
from taciturn.solvers.tune.stretch import stretch_between
from taciturn.theory.communication import (
    SCHEMES,
    AffineCost,
    Cost,
    EnergyCost,
    PacketCost,
    Packets,
    TableCost,
    technology,
)


def use_sample(monkeypatch: pytest.MonkeyPatch, size: int, chunk: int) -> None:
    """Make tuning look at so many entries, and read so many at a time."""
    monkeypatch.setattr(passes, "sample_size", lambda d: min(d, size))
    monkeypatch.setattr(passes, "LARGEST_SAMPLE", size)
    monkeypatch.setattr(passes, "CHUNK", chunk)


def assert_tuned(g: np.ndarray, cost: Cost, scheme: str) -> None:
    tuning = tune(g, cost, scheme)
    smallest, largest, efficiency, certified = brute_force(g, cost, scheme)

    assert (tuning.ties, tuning.T) == ((smallest, largest), largest)
    assert tuning.efficiency == pytest.approx(efficiency, rel=1e-12)
    assert tuning.decrease == pytest.approx(certified, rel=1e-12)
    assert tuning.cost == pytest.approx(float(cost(largest)), rel=1e-15)


def is_scanned(cost: Cost, scheme: str) -> bool:
    """Whether the answer is an integer; SS with an affine cost has a test of its own."""
    return not (scheme == "SS" and isinstance(cost, AffineCost))


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("scheme", SCHEMES)
def test_tune_equals_brute_force(scheme: str, family: str, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng([1, SCHEMES.index(scheme), list(FAMILIES).index(family)])
    for cost in preset_costs(scheme, 40):
        if rng.random() < 0.4:
            use_sample(monkeypatch, int(rng.choice([1, 4, 8, 10**4])), chunk=16)
            assert_tuned(FAMILIES[family](rng, 40), cost, scheme)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("scheme", SCHEMES)
def test_tune_equals_brute_force_with_other_costs(scheme: str, family: str, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng([2, SCHEMES.index(scheme), list(FAMILIES).index(family)])
    for d in (1, 2, 3, 17, 60):
        use_sample(monkeypatch, int(rng.choice([1, 4, 8, 10**4])), chunk=16)
        for cost in other_costs(rng, scheme, d):
            if is_scanned(cost, scheme):
                assert_tuned(FAMILIES[family](rng, d), cost, scheme)


@pytest.mark.slow
def test_tune_equals_brute_force_on_ten_thousand_pairs(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(3)
    pairs = dict.fromkeys(SCHEMES, 0)
    for scheme, family, d in itertools.product(SCHEMES, FAMILIES, (2, 9, 31, 64, 100)):
        for cost in itertools.chain(preset_costs(scheme, d), other_costs(rng, scheme, d)):
            if is_scanned(cost, scheme):
                use_sample(monkeypatch, int(rng.choice([1, 4, 8, 10**4])), chunk=int(rng.choice([8, 64])))
                assert_tuned(FAMILIES[family](rng, d), cost, scheme)
                pairs[scheme] += 1
    print(f"tune equals brute force on {sum(pairs.values())} pairs: {pairs}")

    assert sum(pairs.values()) >= 10_000


# Longer gradients: the guess, and its correction


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("scheme", ["S", "S+Q"])
def test_a_small_sample_guesses_and_is_corrected(scheme: str, family: str, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(4)
    use_sample(monkeypatch, 100, chunk=1000)
    monkeypatch.setattr(search, "_FIRST_MARGIN", 0.0)
    g = FAMILIES[family](rng, 4000)
    for cost in (
        AffineCost(0, 1),
        AffineCost(1000, 1),
        AffineCost(1e13, 1),
        technology("ble-4.2").cost(scheme, 4000, c0=1e6, straddling=True),
    ):
        assert_tuned(g, cost, scheme)


def test_correction_is_needed_and_made(monkeypatch: pytest.MonkeyPatch) -> None:
    """A sample without margin that misses the one large entry is wrong at first, and the answer right."""
    use_sample(monkeypatch, 100, chunk=1000)
    monkeypatch.setattr(search, "_FIRST_MARGIN", 0.0)
    g = np.random.default_rng(5).standard_normal(4000)
    sampled = passes.sample_magnitudes(np.arange(4000.0), 100).astype(int)
    g[np.setdiff1d(np.arange(4000), sampled)[0]] = 1e3
    tuning = tune(g, AffineCost(1000, 1))

    assert tuning.passes > 2
    assert_tuned(g, AffineCost(1000, 1), "S")


def test_a_large_entry_that_the_sample_misses_costs_one_pass() -> None:
    """The guess is repeated from a rank with known energy, not blindly with a wider margin."""
    g = np.random.default_rng(5).standard_normal(200_000)
    sampled = passes.sample_magnitudes(np.arange(200_000.0), passes.sample_size(200_000)).astype(int)
    g[np.setdiff1d(np.arange(200_000), sampled)[0]] = 1e4
    for rho, expected in ((100, 2), (1e4, 3), (1e6, 3)):
        tuning = tune(g, AffineCost(rho, 1))

        assert (tuning.T, tuning.passes) == (1, expected)
        assert tuning.evaluated < 20_000


def test_only_the_ranks_in_question_are_tried() -> None:
    g = np.random.default_rng(6).standard_normal(200_000)
    for cost in (AffineCost(1000, 1), technology("ethernet-udp").cost("S", 200_000, c0=1e5)):
        tuning = tune(g, cost)

        assert tuning.passes == 2
        assert tuning.evaluated < 30_000
        efficiency = decrease(g, "S") / cost(np.arange(1, g.size + 1))
        assert tuning.efficiency == pytest.approx(np.max(efficiency), rel=1e-12)
        assert 1 + np.flatnonzero(efficiency >= (1 - 1e-12) * np.max(efficiency))[-1] == tuning.T


def test_stretch_is_a_piece_of_the_profile(xp, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passes, "CHUNK", 16)
    g = np.round(np.random.default_rng(7).standard_normal(100), 1)
    b = np.sort(np.abs(g))[::-1]
    for low, high in [(0.0, math.inf), (0.5, 1.0), (0.0, 0.3), (1.0, math.inf), (0.55, 0.56)]:
        stretch = stretch_between(xp(g), low, high, with_mass=True)
        start, stop = np.sum(b > high), np.sum(b >= low)

        assert (stretch.start, stretch.stop) == (start, stop)
        np.testing.assert_array_equal(stretch.magnitudes, b[start:stop])
        np.testing.assert_allclose(stretch.energy, np.r_[0, np.cumsum(b**2)][start : stop + 1], rtol=1e-13)
        np.testing.assert_allclose(stretch.mass, np.r_[0, np.cumsum(b)][start : stop + 1], rtol=1e-13)
        assert stretch.total == pytest.approx(np.sum(b**2), rel=1e-13)


# Ties


@pytest.mark.parametrize("seed", range(60))
def test_ties_are_those_of_exact_arithmetic(seed: int) -> None:
    """Integer gradients and prices, compared as fractions: T_- and T_+ without any tolerance."""
    rng = np.random.default_rng([8, seed])
    d = int(rng.integers(1, 25))
    g = rng.integers(-3, 4, d).astype(float)
    g[0] = 3.0
    b = sorted((int(abs(x)) for x in g), reverse=True)
    energy, mass = list(itertools.accumulate(x * x for x in b)), list(itertools.accumulate(b))
    nonzeros = sum(x > 0 for x in b)
    for cost in (
        AffineCost(int(rng.integers(0, 12)), int(rng.integers(1, 4))),
        PacketCost(Packets(2, int(rng.integers(2, 9))), 3, int(rng.integers(0, 9))),
        TableCost(rng.integers(1, 9, d)),
    ):
        price = [Fraction(float(cost(T))) for T in range(1, d + 1)]
        for scheme, efficiency in {
            "S": [Fraction(energy[T]) / price[T] for T in range(d)],
            "S+Q": [Fraction(mass[T] ** 2, T + 1) / price[T] for T in range(nonzeros)],
        }.items():
            maximisers = [T + 1 for T, value in enumerate(efficiency) if value == max(efficiency)]

            assert tune(g, cost, scheme).ties == (maximisers[0], maximisers[-1])


def test_ties_of_a_million_equal_entries_are_found() -> None:
    """Without overhead every T is best; a running sum would have drifted apart by 1e-10."""
    d = 10**6
    tuning = tune(np.full(d, 0.1), AffineCost(0, 1))

    assert tuning.ties == (1, d)


# Numbers of the dossier

RHO = (0, 4 / 3, 11, 100, 2700, 1e6)
REFERENCE = {  # section 4.9: T* and alpha(T*) for d = 47236
    "1/j": (lambda j: 1 / j, (1, 1, 3, 8, 41, 780), (0.6079, 0.6079, 0.8275, 0.9286, 0.9854, 0.9992)),
    "1/sqrt(j)": (lambda j: j**-0.5, (1, 2, 6, 32, 470, 47236), (0.0882, 0.1323, 0.2160, 0.3579, 0.5936, 1)),
    "0.99^j": (lambda j: 0.99**j, (1, 11, 30, 75, 203, 493), (0.0199, 0.1984, 0.4528, 0.7785, 0.9831, 1)),
}


@pytest.mark.parametrize("family", REFERENCE)
def test_reference_values_of_the_dossier(family: str) -> None:
    magnitudes, sparsities, certified = REFERENCE[family]
    g = np.random.default_rng(9).permutation(magnitudes(np.arange(1, 47_237, dtype=float)))
    tunings = [tune(g, AffineCost(rho, 1)) for rho in RHO]

    assert tuple(tuning.T for tuning in tunings) == sparsities
    assert [tuning.decrease for tuning in tunings] == pytest.approx(certified, abs=5.1e-5)


# SS with an affine cost: real T


@pytest.mark.parametrize("family", FAMILIES)
def test_stochastic_closed_form_beats_a_fine_grid(family: str) -> None:
    rng = np.random.default_rng(10)
    for d, c0 in itertools.product((1, 2, 5, 30), (0.0, 1.0, 40.0, 1e6)):
        g, cost = FAMILIES[family](rng, d), AffineCost(c0, 1.0)
        tuning = tune(g, cost, "SS")
        nonzeros = np.count_nonzero(g)
        unclipped = np.sum(np.abs(g)) / np.max(np.abs(g))

        assert 0 < tuning.T <= nonzeros
        near = np.clip([tuning.T - 1e-4, tuning.T + 1e-4], 1e-4, nonzeros)
        grid = np.concatenate((near, np.linspace(1e-3, nonzeros, 500)))
        assert np.all(omega(g, grid) / cost(grid) <= tuning.efficiency * (1 + 1e-12))
        assert tuning.decrease == pytest.approx(omega(g, np.array([tuning.T]))[0], rel=1e-12)
        if c0 == 0:
            assert pytest.approx(min(unclipped, nonzeros), rel=1e-12) == tuning.T
            assert tuning.ties == (0.0, tuning.T)
        else:
            assert min(unclipped, nonzeros) * (1 - 1e-12) <= tuning.T


def test_negligible_entries_do_not_divide_by_zero() -> None:
    """With b = (1, 1, 1e-30) two entries are clipped from T = 2 + 1e-30 on, which is 2 in double precision."""
    g = np.array([1.0, 1e-30, 1.0])

    assert tune(g, TableCost([3.0, 1.0, 3.0]), "SS").T == 2
    assert tune(g, TableCost([3.0, 1.0, 3.0]), "SS").decrease == 1
    assert abs(tune(g, AffineCost(1, 1), "SS").T - 2) < 1e-12


# Consequences


def test_best_T_grows_with_the_overhead() -> None:
    rng = np.random.default_rng(20)
    for family in FAMILIES.values():
        for _ in range(10):
            g = family(rng, 50)
            ties = [tune(g, AffineCost(rho, 1)).ties for rho in (0, 0.1, 1, 3, 10, 30, 100, 1e3, 1e4, 1e5, 1e6)]

            assert np.all(np.diff(ties, axis=0) >= 0)


def test_full_packets_are_not_enough_for_quantised_messages() -> None:
    """One large entry and many small ones: beta falls within the packet, and the second half of it lies idle."""
    g = np.r_[1.0, np.full(19, 0.05)]
    cost = PacketCost(Packets(entry_bits=1, packet_bits=10), packet_cost=1)
    tuning = tune(g, cost, "S+Q")
    full = [decrease(g, "S+Q")[T - 1] / cost(T) for T in (10, 20)]

    assert tuning.T == 1
    assert tuning.efficiency > 3 * max(full)


# Libraries, scales, bad input


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_every_library_gets_the_same_answer(xp, scheme: str, dtype: type) -> None:
    g = np.random.default_rng(11).standard_normal(3000).astype(dtype)
    for cost in (AffineCost(50, 1), technology("ble-4.2").cost(scheme, 3000)):
        tuning, expected = tune(xp(g), cost, scheme), tune(g, cost, scheme)

        assert (tuning.T, *tuning.ties) == pytest.approx((expected.T, *expected.ties), rel=1e-12)
        assert tuning.decrease == pytest.approx(expected.decrease, rel=1e-12)
        assert (tuning.passes, tuning.evaluated) == (expected.passes, expected.evaluated)


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("exponent", [-1060, -700, 300, 1000])
def test_huge_and_tiny_gradients_are_tuned_as_others(scheme: str, exponent: int) -> None:
    g = np.round(np.random.default_rng(12).standard_normal(50), 2)
    scaled = np.ldexp(g, exponent)
    # Subnormal numbers have few digits.
    accuracy = 1e-12 if exponent > -1000 else 1e-3
    for cost in (AffineCost(5, 1), technology("ble-4.0").cost(scheme, 50)):
        tuning, expected = tune(scaled, cost, scheme), tune(g, cost, scheme)

        assert pytest.approx(expected.T, rel=accuracy) == tuning.T
        assert tuning.decrease == pytest.approx(expected.decrease, rel=accuracy)


def test_gradient_is_left_as_it_was() -> None:
    g = np.random.default_rng(13).standard_normal(100)
    before = g.copy()
    for scheme in SCHEMES:
        tune(g, AffineCost(5, 1), scheme)

    np.testing.assert_array_equal(g, before)


class Refund:
    """A price that is negative from T = 3 on."""

    unit = "bits"

    def __call__(self, T: np.ndarray) -> np.ndarray:
        return 3.0 - np.asarray(T)

    def affine_minorant(self) -> tuple[float, float]:
        return 1.0, 0.0


class Overpromise(Refund):
    """A price with a minorant that is not below it."""

    def __call__(self, T: np.ndarray) -> np.ndarray:
        return np.ones_like(T, dtype=float)

    def affine_minorant(self) -> tuple[float, float]:
        return 0.5, 0.3


class Falling(Overpromise):
    """A price with a falling minorant."""

    def affine_minorant(self) -> tuple[float, float]:
        return 0.5, -0.1


GOOD = AffineCost(1, 1)


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize(
    ("gradient", "cost", "error", "words"),
    [
        ([1.0], GOOD, TypeError, "gradient is a list"),
        (np.array([1, 2]), GOOD, TypeError, "gradient has the type int64"),
        (np.array([1j]), GOOD, TypeError, "gradient has the type complex128"),
        (np.array([]), GOOD, ValueError, r"gradient has the shape \(0,\)"),
        (np.array(1.0), GOOD, ValueError, "gradient has the shape"),
        (np.ones((2, 3)), GOOD, ValueError, r"gradient has the shape \(2, 3\); accepted: \(d,\)"),
        (np.array([1.0, np.nan]), GOOD, ValueError, "gradient has entries that are NaN"),
        (np.array([1.0, np.inf]), GOOD, ValueError, "gradient has entries that are NaN"),
        (np.r_[np.ones(40_000), np.nan], GOOD, ValueError, "gradient has entries that are NaN"),
        (np.zeros(3), GOOD, ValueError, "gradient is zero"),
        (np.zeros(40_000), GOOD, ValueError, "gradient is zero"),
        (np.ones(3), 5.0, TypeError, "cost is a float"),
        (np.ones(3), TableCost([1.0, 2.0]), ValueError, "T = 3 is outside the accepted range 1..2"),
        (np.ones(3), Refund(), ValueError, r"cost\(3\) = 0.0"),
        (np.ones(3), Overpromise(), ValueError, r"cost\(2\) = 1.0; accepted: a finite price of at least 1.1"),
        (np.ones(3), Falling(), ValueError, "affine minorant"),
    ],
)
def test_bad_input_is_refused_in_words(gradient, cost, scheme: str, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        tune(gradient, cost, scheme)


def test_unknown_scheme_is_answered_with_the_nearest() -> None:
    with pytest.raises(ValueError, match=r"scheme = 'S\+q' is unknown; did you mean .*'S\+Q'"):
        tune(np.ones(3), GOOD, "S+q")


def test_threshold_is_given_where_there_is_one() -> None:
    g = np.array([3.0, 2.0, 1.0])

    assert tune(g, AffineCost(1, 2)).threshold == pytest.approx(2 * 9 / 3)
    assert tune(g, AffineCost(1, 2), "S+Q").threshold is None
    assert tune(g, TableCost([3.0, 5.0, 7.0])).threshold is None
    assert tune(g, EnergyCost(Packets(2, 4), 1.0, 0)).unit == "joules"


def test_a_steep_table_is_not_refused_for_the_rounding_of_its_minorant() -> None:
    assert tune(np.array([-1.0, 0.5]), TableCost([7.06113939e-04, 2807.21114])).T == 1


def test_sampled_entries_that_are_free_are_all_sent() -> None:
    assert tune(np.array([1.0, 1e-170]), AffineCost(c0=3, c1=0), "SS").T == 2.0


def test_non_zeros_far_below_the_largest_count() -> None:
    assert tune(np.array([1e-200, 1e200]), TableCost([1.0, 1e-3]), "S+Q").T == 2
