"""What a witness returns, and how hard it may try."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Any


class Verdict(StrEnum):
    """The four answers of a witness."""

    HELD = "held"
    VIOLATED = "violated"
    NOT_APPLICABLE = "not applicable"
    NOT_SOLVED = "not solved"


@dataclass(frozen=True)
class Budget:
    """How hard the witnesses try.

    Parameters
    ----------
    instances
        Instances that an attack tries per theorem, directed search included.
    cells
        Parameter sets for which a worst-case program is solved per theorem.
    replicas
        Independent runs per experiment with randomness.
    seed
        Seed of everything random.
    """

    instances: int
    cells: int
    replicas: int
    seed: int = 0


BUDGETS: Mapping[str, Budget] = MappingProxyType(
    {"quick": Budget(instances=300, cells=3, replicas=200), "full": Budget(instances=20_000, cells=12, replicas=4000)}
)
"""The named budgets of the command line."""


@dataclass(frozen=True)
class Evidence:
    """One finding about one theorem.

    Parameters
    ----------
    theorem
        ID.
    witness
        ``"certificate"``, ``"tightness"``, ``"attack"`` or ``"experiment"``.
    verdict
        See `Verdict`.
    ratio
        Largest measured / bound (at most 1 where the theorem holds), where the witness measures one.
    prose
        One sentence that says what it means, in the solver's own words where one failed.
    seconds
        Wall time.
    details
        JSON-compatible facts: instances tried, solver, residuals, the counterexample or the worst instance found.
    """

    theorem: str
    witness: str
    verdict: Verdict
    ratio: float | None
    prose: str
    seconds: float
    details: Mapping[str, Any] = field(default_factory=dict)

    def as_record(self) -> dict[str, Any]:
        """A JSON-compatible dictionary."""
        return asdict(self) | {"verdict": str(self.verdict), "details": dict(self.details)}

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Evidence:
        """The evidence written by `as_record`."""
        return cls(**{**record, "verdict": Verdict(record["verdict"])})
