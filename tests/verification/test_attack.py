from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from taciturn.theory import theorem
from taciturn.theory.theorem import Theorem
from taciturn.verification import attack
from taciturn.verification.attack import ratio, read_corpus, replay, witness
from taciturn.verification.attacks import FAMILIES
from taciturn.verification.attacks.family import Batch, stack
from taciturn.verification.attacks.fields import Array
from taciturn.verification.attacks.senders import project, share
from taciturn.verification.evidence import Budget, Verdict
from taciturn.verification.mutation import strengthened

FEW = Budget(instances=40, cells=1, replicas=1)
RATES = ["topT-pl-rate", "topT-sc-exact", "sq-rates", "dynamic-T", "ss-pl-rate", "ss-sc-exact", "ss-distance-exact"]


@pytest.mark.parametrize("id", RATES)
def test_a_stronger_rate_is_refuted_where_it_is_a_rate(id: str) -> None:
    """Not only where five percent more progress than promised would be more than all."""
    wrong = next(strengthened(theorem(id)))
    ratios = [ratio(wrong, instance) for instance in FAMILIES[id].structured()]

    assert any(1.02 < value < 1.1 for value in ratios)


def test_a_false_statement_is_refuted_by_random_instances(monkeypatch: pytest.MonkeyPatch) -> None:
    """The square of T/d instead of T/d would be true; the root is not."""
    entry = theorem("alpha-profile")
    assert entry.decrease is not None
    monkeypatch.setattr(attack, "FAMILIES", {entry.id: replace(FAMILIES[entry.id], structured=tuple)})

    assert witness(replace(entry, decrease=entry.decrease**2), FEW)[0].verdict is Verdict.HELD
    assert witness(replace(entry, decrease=entry.decrease**0.5), FEW)[0].verdict is Verdict.VIOLATED


def test_the_search_climbs_to_the_extremal_instance(monkeypatch: pytest.MonkeyPatch) -> None:
    """As random instances alone do not: curvatures well separated, the share kept neither small nor all."""
    family = FAMILIES["topT-sc-exact"]

    def interior(entry: Theorem, batch: Batch) -> Array:
        g = batch["gradient"]
        kept = share(g, project(batch["compressor"], g, batch["T"][:, 0], batch["direction"]))
        m = np.min(batch["spectrum"], axis=1)
        usual = (m >= 0.05) & (m <= 0.3) & (kept >= 0.3) & (kept <= 0.8)
        return np.where(usual, family.ratio(entry, batch), np.nan)

    hard = replace(family, structured=tuple, dimensions=(5,), ratio=interior)
    monkeypatch.setattr(attack, "FAMILIES", {"topT-sc-exact": hard})
    random = interior(theorem("topT-sc-exact"), hard.sample(4000, 5, np.random.default_rng(0)))
    found = witness(theorem("topT-sc-exact"), Budget(instances=8000, cells=1, replicas=1))[0].ratio

    assert found is not None
    assert np.nanmax(random) < 0.97 < 0.99 < found


def test_the_seed_decides() -> None:
    first, second, other = (witness(theorem("mn-neighbourhood"), replace(FEW, seed=seed))[0] for seed in (0, 0, 1))

    assert first.details == second.details
    assert first.details["worst"] != other.details["worst"]


def test_the_corpus_grows_only_by_worse_instances(tmp_path: Path) -> None:
    entry, corpus = theorem("topT-convex-rate"), tmp_path / "deep" / "corpus.jsonl"
    assert read_corpus(corpus) == []
    first = witness(entry, FEW, corpus)[0]
    ((id, instance),) = read_corpus(corpus)
    assert (id, dict(instance)) == (entry.id, first.details["worst"])

    # A search of one instance cannot beat what it starts from.
    again = witness(entry, replace(FEW, instances=1), corpus)[0]
    assert again.ratio == pytest.approx(first.ratio)
    assert len(read_corpus(corpus)) == 1

    witness(theorem("beta-adaptive"), FEW, corpus)
    assert [id for id, _ in read_corpus(corpus)] == ["topT-convex-rate", "beta-adaptive"]


def test_a_killed_run_leaves_a_readable_corpus(tmp_path: Path) -> None:
    corpus = tmp_path / "corpus.jsonl"
    witness(theorem("beta-adaptive"), FEW, corpus)
    with corpus.open("a") as file:
        file.write('{"theorem": "alpha-pro')

    assert len(read_corpus(corpus)) == 1
    witness(theorem("alpha-profile"), FEW, corpus)
    assert [id for id, _ in read_corpus(corpus)] == ["beta-adaptive", "alpha-profile"]


@pytest.mark.parametrize("line", ["nonsense", "{}", '{"theorem": "x", "instance": 3}'])
def test_a_corrupt_corpus_is_refused(tmp_path: Path, line: str) -> None:
    corpus = tmp_path / "corpus.jsonl"
    corpus.write_text(f"{line}\n")

    with pytest.raises(ValueError, match="line 1 of"):
        witness(theorem("beta-adaptive"), FEW, corpus)
    assert corpus.read_text() == f"{line}\n"


def test_a_statement_without_an_attack_says_so() -> None:
    unknown = replace(theorem("alpha-profile"), id="no-such-statement")
    (evidence,) = witness(unknown, FEW)

    assert evidence.verdict is Verdict.NOT_APPLICABLE
    assert "no entry" in evidence.prose
    with pytest.raises(ValueError, match="no-such-statement"):
        ratio(unknown, {})


def test_an_incomplete_instance_is_refused() -> None:
    with pytest.raises(ValueError, match="the instance lacks T, which alpha-profile needs"):
        ratio(theorem("alpha-profile"), {"gradient": [1.0, 2.0]})


def test_an_instance_outside_the_hypotheses_proves_nothing() -> None:
    evidence = replay(theorem("ss-fixed-size"), {"gradient": [1.0, 0.0], "T": 2})

    assert evidence.verdict is Verdict.NOT_SOLVED
    assert evidence.ratio is None


@pytest.mark.parametrize("id", sorted(FAMILIES))
def test_structured_instances_have_all_parts_and_only_those(id: str) -> None:
    for instance in FAMILIES[id].structured():
        assert instance.keys() == FAMILIES[id].fields.keys()


@pytest.mark.parametrize("id", sorted(FAMILIES))
def test_sampled_and_perturbed_instances_have_equal_shapes(id: str) -> None:
    family, rng = FAMILIES[id], np.random.default_rng(0)
    for d in family.dimensions:
        batch = family.sample(7, d, rng)
        changed = family.perturb(batch, rng)
        assert {name: values.shape for name, values in changed.items()} == {
            name: values.shape for name, values in batch.items()
        }
        assert any(np.any(changed[name] != batch[name]) for name in batch)
        assert len(list(stack([{name: values[0] for name, values in batch.items()}] * 2))) == 1
