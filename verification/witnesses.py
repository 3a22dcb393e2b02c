"""The witnesses by name; each is loaded when it is first called, because solvers are slow to import."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TypeAlias, cast

from taciturn.theory.checks import check_choice
from taciturn.theory.theorem import Theorem

from .evidence import Budget, Evidence

__all__ = ["WITNESSES", "Witness", "load_witness"]

Witness: TypeAlias = Callable[[Theorem, Budget], tuple[Evidence, ...]]
"""Examines a theorem, as hard as the budget allows."""

WITNESSES: Mapping[str, str] = MappingProxyType(
    {
        "certificate": "taciturn.verification.certificates",
        "tightness": "taciturn.verification.tightness",
        "attack": "taciturn.verification.attack",
        "experiment": "taciturn.verification.experiment",
    }
)
"""Modules by name of the witness; the function is called ``witness`` in each."""


def load_witness(name: str) -> Witness:
    """Return the witness called `name`.

    Raises
    ------
    ValueError
        If there is none; the message proposes the nearest names.

    Examples
    --------
    >>> load_witness("certificate").__module__
    'taciturn.verification.certificates'
    """
    check_choice(name, "witness", tuple(WITNESSES))
    return cast(Witness, importlib.import_module(WITNESSES[name]).witness)
