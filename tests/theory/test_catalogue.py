from __future__ import annotations

import re
from pathlib import Path

import pytest

from taciturn.theory import catalogue, theorem

ROOT = Path(__file__).parents[2]


def test_ids_are_unique_and_ordered() -> None:
    ids = [entry.id for entry in catalogue()]

    assert len(set(ids)) == len(ids)


@pytest.mark.parametrize("entry", catalogue(), ids=lambda entry: entry.id)
def test_every_statement_has_a_proof_or_says_why_not(entry) -> None:  # type: ignore[no-untyped-def]
    assert (entry.certificate is None) == bool(entry.no_certificate)
    if entry.certificate is None:
        assert entry.checked_by


@pytest.mark.parametrize("node", sorted({node for entry in catalogue() for node in entry.checked_by}))
def test_the_tests_that_theorems_name_exist(node: str) -> None:
    path, name = node.split("::")

    assert re.search(rf"^def {name}\(", (ROOT / path).read_text(), re.MULTILINE)


def test_unknown_names_get_the_nearest() -> None:
    with pytest.raises(ValueError, match="topT-sc-exact"):
        theorem("topT-sc-exakt")
    with pytest.raises(ValueError, match="adaptive-compression"):
        catalogue("adaptive")
