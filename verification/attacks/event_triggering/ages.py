"""Attacks on what is said of old copies: whole vectors, single tensors, identical workers (dossier 4.4)."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from taciturn.theory.event_triggering.counterexamples import CHECKERBOARD, LATE_ROUND_ROBIN, PeriodicMessages
from taciturn.theory.theorem import Theorem

from ..family import Batch, Family, Instance
from ..fields import Array, Entries, Integers, Positive, Spectrum, Words
from ..functions import dot, square
from ..measures import quotient, reached
from .networks import RowMixings
from .setting import DIMENSIONS, WORKERS, instance, network, rows, units

__all__ = ["FAMILIES", "period"]

_ITERATIONS = 40
_OLDEST = 4
_AGES = ("farthest", "opposed", "saw-tooth", "drawn")


def _bounded_delay(theorem: Theorem, batch: Batch) -> Array:
    """Every link uses the past vector that is farthest away, or drives its receiver farthest; workers may idle."""
    net, tau, acts = network(batch), batch["tau"], batch["acts"]
    m, n = len(tau), net.n
    own = np.diagonal(net.W, axis1=-2, axis2=-1)
    w = np.min(own, axis=1)
    L, mu = net.L, net.constants["mu"]
    gamma = batch["relative_step"] * 2 * w / (L + mu) * (1 - 1e-12)
    guarantee = theorem.evaluate(
        **{name: values[:, None] for name, values in net.constants.items()}, self_weight=w[:, None],
        step_size=gamma[:, None], tau=tau[:, None], acts_within=acts[:, None],
    )  # fmt: skip
    X = rows(batch["start"])
    past = [X] * (_OLDEST + 1)  # the newest first
    off, way = net.off_diagonal(), batch["ages"]
    allowed = np.arange(_OLDEST + 1) <= tau[:, None]
    measured = [np.max(np.sqrt(square(X)), axis=1)]
    for k in range(_ITERATIONS):
        seen = np.stack(past, axis=1)  # (m, ages, n, 2)
        pushed = own[..., None] * X - gamma[:, None, None] * net.slopes(X)
        farthest = np.where(allowed[:, :, None], np.sqrt(square(seen)), -np.inf)
        age_of_sender = np.argmax(farthest, axis=1)  # (m, n)
        towards = dot(seen[:, :, None], units(pushed)[:, None, :, None])  # (m, ages, receiver, sender)
        opposed = np.argmax(np.where(allowed[:, :, None, None], towards, -np.inf), axis=1)
        common = np.broadcast_to(age_of_sender[:, None], (m, n, n))
        saw = np.broadcast_to((k % (tau + 1))[:, None, None], (m, n, n))
        drawn = np.minimum(batch["drawn"][:, k % batch["drawn"].shape[1], None, None], tau[:, None, None])
        age = np.select(
            [(way == name)[:, None, None] for name in _AGES[:3]],
            [common, opposed, saw],
            np.broadcast_to(drawn, saw.shape),
        )
        used = seen[np.arange(m)[:, None, None], age, np.arange(n)]  # (m, receiver, sender, 2)
        moved = pushed + np.einsum("mij,mijx->mix", off, used)
        turn = (k + np.arange(n)) % acts[:, None] == acts[:, None] - 1
        X = np.where(turn[..., None], moved, X)
        past = [X, *past[:-1]]
        measured.append(np.max(np.sqrt(square(X)), axis=1))
    values, counted = np.stack(measured, axis=1), np.arange(_ITERATIONS + 1)
    first = np.maximum(values[:, :1], np.finfo(float).tiny)
    return np.max(reached(values, guarantee.bound(counted, first), values[:, :1])[:, 1:], axis=1)


def period(example: PeriodicMessages, states: Array) -> Array:
    """Run one period from states (m, d (latency + 2)): points of the last iterations, newest first, and copies."""
    H = np.array(example.hessian, dtype=float)
    moves = float(example.self_weight) * np.eye(len(H)) - float(example.step_size) * H
    *history, copies = np.split(states, example.latency + 2, axis=1)
    for tensors in example.schedule:
        copies = copies.copy()
        copies[:, list(tensors)] = history[-1][:, list(tensors)]
        moved = history[0] @ moves.T + float(example.copies_weight) * copies
        history = [moved, *history[:-1]]
    return np.concatenate([*history, copies], axis=1)


def _growth(example: PeriodicMessages, start: Array) -> Array:
    """Return the growth per period of runs from starts (m, d) that everybody knows, over the later of 4096 periods."""
    states = np.tile(start, example.latency + 2)
    power = period(example, np.eye(states.shape[1]))  # rows are images: states @ power is one period
    for _ in range(11):
        power = power @ power
    middle = states @ power
    return (np.max(np.abs(middle @ power), axis=1) / np.max(np.abs(middle), axis=1)) ** (1 / 2048)


def _per_tensor(theorem: Theorem, batch: Batch) -> Array:
    """The tensors one by one must grow as stated, the whole vectors shrink."""
    del theorem
    examples = ((CHECKERBOARD, 1.05), (LATE_ROUND_ROBIN, 1.02))
    grown = [quotient(low, _growth(example, batch["start"])) for example, low in examples]
    whole = [_growth(example.whole_vectors(), batch["start"]) for example, _ in examples]
    return np.max([*grown, *whole], axis=0)


def _hold_descent(theorem: Theorem, batch: Batch) -> Array:
    """Identical workers on quadratics or on waves ``sum a_j (1 - cos x_j)``; single entries are held."""
    a, w, y = batch["curvatures"], batch["w"], batch["start"]
    tau, waves = batch["tau"], (batch["shape"] == "waves")[:, None]
    gamma = batch["relative_step"] * (1 + w) * (1 - 1e-9)
    first = np.sum(np.where(waves, a * (1 - np.cos(y)), a * y**2 / 2), axis=1)
    held, age = y, np.zeros(a.shape)
    squares, potentials = [], []
    for k in range(_ITERATIONS):
        fires = (age >= tau[:, None]) | (
            batch["coins"][:, k % batch["coins"].shape[1], None] == np.arange(a.shape[1]) % 3
        )
        held, age = np.where(fires, y, held), np.where(fires, 0, age + 1)
        slope = np.where(waves, a * np.sin(y), a * y)
        value = np.sum(np.where(waves, a * (1 - np.cos(y)), a * y**2 / 2), axis=1)
        potentials.append(value + (1 - w) / (2 * gamma) * square(y - held))
        squares.append(square(slope))
        y = w[:, None] * y + (1 - w)[:, None] * held - gamma[:, None] * slope
    counted = np.arange(1, _ITERATIONS + 1)
    bound = theorem.evaluate(
        L=1.0, self_weight=w[:, None], step_size=gamma[:, None], tau=tau[:, None]
    ).bound(counted, np.maximum(first, 1e-300)[:, None])  # fmt: skip
    mean = np.cumsum(squares, axis=0).T / counted
    size = np.sum(a * (1 + batch["start"] ** 2), axis=1)
    rises = np.max(np.diff(np.stack(potentials, axis=1), axis=1), axis=1)
    return np.where(rises > 1e-12 * size, 1 + rises / size, np.max(reached(mean, bound, size[:, None]), axis=1))


def _saw_tooth() -> Iterator[Instance]:
    """Equal curvatures: whole periods are at the bound; then hardly any weight of one's own."""
    for n, w, tau in ((2, 1 / 3, 1), (3, 0.02, 2), (2, 0.5, 0)):
        W = np.full((n, n), (1 - w) / (n - 1)) * (1 - np.eye(n)) + w * np.eye(n)
        for spectra in (1.0, [[1.0], [0.2]]):
            made = instance(W, spectra)
            kept = {name: made[name] for name in ("W", "spectra", "mirrors", "start", "relative_step")}
            yield {**kept, "tau": tau, "acts": 1, "ages": "saw-tooth", "drawn": [0] * 5}


def _held() -> Iterator[Instance]:
    for tau in (0, 3):
        for shape in ("quadratic", "waves"):
            yield {
                "curvatures": [1.0, 0.1, 0.01], "start": [1.0, 1.0, 1.0], "w": 1 / 3, "relative_step": 0.5, "tau": tau,
                "shape": shape, "coins": [3] * 7,
            }  # fmt: skip


FAMILIES = {
    "bounded-delay": Family(
        {
            "W": RowMixings(),
            **{name: WORKERS[name] for name in ("spectra", "mirrors", "start", "relative_step")},
            "tau": Integers(0, _OLDEST),
            "acts": Integers(1, 3),
            "ages": Words(_AGES),
            "drawn": Integers(0, _OLDEST, rows=(5,)),
        },
        _bounded_delay,
        "largest distance from the fixed point / its bound",
        _saw_tooth,
        DIMENSIONS,
    ),
    "per-tensor-divergence": Family(
        {"start": Entries()},
        _per_tensor,
        "stated growth per period / growth, and growth of whole vectors",
        lambda: [{"start": [1.0, 0.0, 0.0]}, {"start": [1.0, -2.0, 1.0]}],
        dimensions=(3,),
    ),
    "hold-descent": Family(
        {
            "curvatures": Spectrum(),
            "start": Entries(),
            "w": Positive(0.02, 1.0),
            "relative_step": Positive(1e-2, 1.0),
            "tau": Integers(0, 5),
            "shape": Words(("quadratic", "waves")),
            "coins": Integers(0, 9, rows=(7,)),
        },
        _hold_descent,
        "average squared gradient / its bound, and 1 + increase of the potential",
        _held,
    ),
}
