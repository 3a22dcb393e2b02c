"""The third witness: an active search for an instance that violates the theorem.

Instances known to be hard come first, then random ones of many kinds; the worst are then changed again and again. An
instance is JSON-compatible data, so the worst one found is stored and can be replayed.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from taciturn.theory.theorem import Theorem

from .attacks import FAMILIES
from .attacks.family import Batch, Family, Instance, stack, unstack
from .attacks.fields import Array
from .attacks.measures import TOLERANCE
from .evidence import Budget, Evidence, Verdict

__all__ = ["ratio", "read_corpus", "replay", "witness", "worst_instance"]

_ELITE = 4
_ROUNDS = 10


def ratio(theorem: Theorem, instance: Instance) -> float:
    """Return what is measured on one instance relative to what the theorem promises there: at most 1 where it holds.

    Parameters
    ----------
    theorem
        The theorem, or a wrong one with the same ID: its own formulas are used.
    instance
        Data of an instance, as in the details of an attack's evidence.

    Returns
    -------
    float
        NaN if the instance does not meet the hypotheses. Rounding may lift it above 1 by
        `taciturn.verification.attacks.measures.TOLERANCE`.

    Raises
    ------
    ValueError
        If the theorem is not attacked, or the instance lacks a part.

    Examples
    --------
    >>> from taciturn.theory import theorem
    >>> round(ratio(theorem("beta-adaptive"), {"gradient": [1.0, 2**0.5 - 1]}), 12)
    1.0
    """
    if theorem.id not in FAMILIES:
        raise ValueError(f"theorem={theorem.id!r} is not attacked; attacked are {', '.join(FAMILIES)}")
    (batch,) = stack([_complete(theorem, instance)])
    return float(_ratios(FAMILIES[theorem.id], theorem, batch)[0])


def replay(theorem: Theorem, instance: Instance) -> Evidence:
    """Evaluate one stored instance: evidence of a single trial.

    Examples
    --------
    >>> from taciturn.theory import theorem
    >>> replay(theorem("beta-adaptive"), {"gradient": [1.0, 0.0]}).verdict
    <Verdict.HELD: 'held'>
    """
    start = time.perf_counter()
    value = ratio(theorem, instance)
    details = {"instances": 1, "worst": dict(instance)}
    return _evidence(theorem, value, details, time.perf_counter() - start)


def witness(theorem: Theorem, budget: Budget, corpus: Path | None = None) -> tuple[Evidence, ...]:
    """Attack the theorem.

    Parameters
    ----------
    theorem
        The theorem, or a wrong one with the same ID.
    budget
        `Budget.instances` are tried, besides those known to be hard and those of the corpus.
    corpus
        File of worst instances, one JSON record a line. The attack starts from those of the theorem, and appends the
        worst it finds if that is worse than all of them.

    Returns
    -------
    tuple of one Evidence
        Its details hold the number of instances, what the ratio compares, and the worst instance, which `replay` takes.

    Raises
    ------
    ValueError
        If the corpus is not readable.

    Examples
    --------
    >>> from taciturn.theory import theorem
    >>> found = witness(theorem("alpha-profile"), Budget(instances=50, cells=1, replicas=1))[0]
    >>> found.verdict, round(found.ratio, 9), found.details["compares"]
    (<Verdict.HELD: 'held'>, 1.0, 'lower bound / alpha(T)')
    """
    if theorem.id not in FAMILIES:
        reason = f"{theorem.id} has no entry in the tables of attacks"
        return (Evidence(theorem.id, "attack", Verdict.NOT_APPLICABLE, None, reason, 0.0),)
    start = time.perf_counter()
    known = [] if corpus is None else [entry for id, entry in read_corpus(corpus) if id == theorem.id]
    search = worst_instance(theorem, budget, known)
    details = {
        "instances": search.tried,
        "outside the hypotheses": search.outside,
        "compares": FAMILIES[theorem.id].compares,
        "tolerance": TOLERANCE,
        "worst": dict(search.worst),
    }
    evidence = _evidence(theorem, search.ratio, details, time.perf_counter() - start)
    worst_known = max((ratio(theorem, entry) for entry in known), default=-np.inf)
    if corpus is not None and search.ratio > worst_known + TOLERANCE:
        _append(corpus, {"theorem": theorem.id, "ratio": search.ratio, "instance": dict(search.worst)})
    return (evidence,)


@dataclass(frozen=True)
class Search:
    """What a search has found so far.

    Parameters
    ----------
    ratio, worst
        The largest ratio, and the instance it was found on.
    tried, outside
        Numbers of instances that meet the hypotheses, and that do not.
    """

    ratio: float = -np.inf
    worst: Instance = field(default_factory=dict)
    tried: int = 0
    outside: int = 0

    def after(self, batch: Batch, ratios: Array) -> Search:
        """Return what is known after another batch with these ratios."""
        outside = int(np.sum(np.isnan(ratios)))
        tried, outside = self.tried + len(ratios) - outside, self.outside + outside
        i = int(np.argmax(np.where(np.isnan(ratios), -np.inf, ratios)))
        if not ratios[i] > self.ratio:
            return replace(self, tried=tried, outside=outside)
        return Search(float(ratios[i]), unstack(batch, [i])[0], tried, outside)


def worst_instance(theorem: Theorem, budget: Budget, known: Iterable[Instance] = ()) -> Search:
    """Search for the instance with the largest ratio, among known ones and `Budget.instances` new ones."""
    search = Search()
    for batch, ratios in _trials(FAMILIES[theorem.id], theorem, budget, known):
        search = search.after(batch, ratios)
    return search


def _trials(
    family: Family, theorem: Theorem, budget: Budget, known: Iterable[Instance]
) -> Iterator[tuple[Batch, Array]]:
    """Yield every batch that is tried, with its ratios: one climb for each dimension."""
    rng = np.random.default_rng([budget.seed, *theorem.id.encode()])
    hard: dict[int, list[Batch]] = {}
    for batch in stack([*family.structured(), *(_complete(theorem, instance) for instance in known)]):
        hard.setdefault(family.dimension(batch), []).append(batch)
    dimensions = sorted({*family.dimensions, *hard})
    each = max(budget.instances // len(dimensions), 1)
    drawn = max(each // 3, 1)
    for d in dimensions:
        starts = [*hard.get(d, []), family.sample(drawn, d, rng)]
        yield from _climb(family, theorem, starts, each - drawn, rng)


def _climb(
    family: Family, theorem: Theorem, starts: list[Batch], trials: int, rng: np.random.Generator
) -> Iterator[tuple[Batch, Array]]:
    """Change the worst instances known, again and again; all have the same shapes."""
    pool = {name: np.concatenate([start[name] for start in starts]) for name in family.fields}
    ratios = _ratios(family, theorem, pool)
    yield pool, ratios
    for size in np.diff(np.linspace(0, trials, _ROUNDS + 1).astype(int)):
        elite = np.argsort(-np.where(np.isnan(ratios), -np.inf, ratios), kind="stable")[:_ELITE]
        pool, ratios = {name: values[elite] for name, values in pool.items()}, ratios[elite]
        if size > 0:
            parents = rng.integers(len(elite), size=size)
            children = family.perturb({name: values[parents] for name, values in pool.items()}, rng)
            found = _ratios(family, theorem, children)
            yield children, found
            pool = {name: np.concatenate([values, children[name]]) for name, values in pool.items()}
            ratios = np.concatenate([ratios, found])


def _complete(theorem: Theorem, instance: Instance) -> Instance:
    """Return the parts of an instance that the attack on the theorem needs."""
    fields = FAMILIES[theorem.id].fields
    missing = sorted(fields.keys() - instance.keys())
    if missing:
        raise ValueError(f"the instance lacks {', '.join(missing)}, which {theorem.id} needs")
    return {name: instance[name] for name in fields}


def _ratios(family: Family, theorem: Theorem, batch: Batch) -> Array:
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        return np.asarray(family.ratio(theorem, batch), dtype=float)


def _evidence(theorem: Theorem, value: float, details: Mapping[str, Any], seconds: float) -> Evidence:
    tried, compares = details["instances"], FAMILIES[theorem.id].compares
    if not value > -np.inf:
        prose = f"none of the instances tried meets the hypotheses of {theorem.id}"
        return Evidence(theorem.id, "attack", Verdict.NOT_SOLVED, None, prose, seconds, details)
    violated = value > 1 + TOLERANCE
    found = "violated by the worst" if violated else "held on the worst"
    prose = f"{found} of {tried} instances, where {compares} = {value:.6g}"
    verdict = Verdict.VIOLATED if violated else Verdict.HELD
    finite = min(value, sys.float_info.max)  # JSON has no infinity
    return Evidence(theorem.id, "attack", verdict, finite, prose, seconds, details)


def read_corpus(path: Path) -> list[tuple[str, Instance]]:
    """Return the theorem's ID and the instance of every record of a corpus, of none if the file does not exist.

    A last line without its end, from a run that was killed, is left out.

    Raises
    ------
    ValueError
        If another line is no record.
    """
    records: list[tuple[str, Instance]] = []
    for number, line in enumerate(_whole_lines(path), 1):
        try:
            record = json.loads(line)
            records.append((str(record["theorem"]), dict(record["instance"])))
        except (ValueError, KeyError, TypeError):
            raise ValueError(f"line {number} of {path} is no record of a worst instance: {line[:60]!r}") from None
    return records


def _append(path: Path, record: Mapping[str, Any]) -> None:
    """Append a record, in place of a last line without its end."""
    whole = sum(len(line.encode()) + 1 for line in _whole_lines(path))
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab") as file:
        file.truncate(whole)
        file.write((json.dumps(record) + "\n").encode())


def _whole_lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").split("\n")[:-1] if path.exists() else []
