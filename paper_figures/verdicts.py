"""Verdicts on claims: numbers that were measured, what they must be, and the answer that follows."""

import math
from dataclasses import dataclass
from enum import StrEnum

__all__ = ["Check", "Finding", "Verdict"]


class Verdict(StrEnum):
    """What measurements say about a claim."""

    REPRODUCED = "reproduced"
    IN_PART = "reproduced in part"
    REFUTED = "refuted"
    NOT_TESTABLE = "not testable here"


@dataclass(frozen=True)
class Check:
    """A number, and the range in which it supports the claim; without a range it is information only.

    Parameters
    ----------
    quantity : str
        What was measured.
    measured : float
        The number; infinite where a target was not reached.
    unit : str
        Its unit; "" for a ratio.
    lowest, highest : float
        The range, ends included.
    reference : float, optional
        The same number on the synthetic data of the dossier; for comparison only.

    Raises
    ------
    ValueError
        If the number is NaN, which would fail every criterion without saying why.

    Examples
    --------
    >>> check = Check("gain in bits", 24.5, lowest=1.0)
    >>> check.holds, check.criterion
    (True, 'at least 1')
    """

    quantity: str
    measured: float
    unit: str = ""
    lowest: float = -math.inf
    highest: float = math.inf
    reference: float | None = None

    def __post_init__(self) -> None:
        if math.isnan(self.measured):
            raise ValueError(f"{self.quantity}: measured = nan; accepted: a number, or infinity for a missed target")

    @property
    def decides(self) -> bool:
        """Whether the number has to lie in a range."""
        return self.lowest > -math.inf or self.highest < math.inf

    @property
    def holds(self) -> bool:
        """Whether the number lies in the range."""
        return self.lowest <= self.measured <= self.highest

    @property
    def criterion(self) -> str:
        """The range in words; empty for information."""
        if self.lowest > -math.inf and self.highest < math.inf:
            return f"from {self.lowest:g} to {self.highest:g}"
        if self.lowest > -math.inf:
            return f"at least {self.lowest:g}"
        return f"at most {self.highest:g}" if self.highest < math.inf else ""


@dataclass(frozen=True)
class Finding:
    """A claim with its checks.

    Parameters
    ----------
    id : str
        Short name.
    claim : str
        The claim, in one sentence.
    theorems : tuple of str
        IDs of the theorems behind it.
    checks : tuple of Check
        What was measured.
    not_testable : str
        Why the measurements cannot decide; empty if they can.
    data : str
        What they were made on: a verdict holds there.

    Examples
    --------
    >>> Finding("gain", "It saves bits.", (), (Check("gain", 3.0, lowest=1.0), Check("gain", 0.5, lowest=1.0))).verdict
    <Verdict.IN_PART: 'reproduced in part'>
    """

    id: str
    claim: str
    theorems: tuple[str, ...]
    checks: tuple[Check, ...]
    not_testable: str = ""
    data: str = ""

    @property
    def verdict(self) -> Verdict:
        """All criteria hold: reproduced; some: in part; none: refuted. Not testable: it is said, or there are none."""
        held = [check.holds for check in self.checks if check.decides]
        if self.not_testable or not held:
            return Verdict.NOT_TESTABLE
        if all(held):
            return Verdict.REPRODUCED
        return Verdict.IN_PART if any(held) else Verdict.REFUTED

    @property
    def reason(self) -> str:
        """The verdict in a sentence."""
        if self.verdict is Verdict.NOT_TESTABLE:
            return self.not_testable or "nothing was measured that could decide"
        deciding = [check for check in self.checks if check.decides]
        failed = [check for check in deciding if not check.holds]
        words = f"{len(deciding) - len(failed)} of {len(deciding)} criteria hold"
        if failed:
            words += "; not: " + ", ".join(f"{check.quantity} is {check.measured:.4g}" for check in failed)
        return words
