"""Exponents with a name: fractions kept in proportion to a power of the data volume, and what each power optimises."""

from dataclasses import dataclass

__all__ = ["PRESETS", "Preset"]


@dataclass(frozen=True)
class Preset:
    """delta_i in proportion to p_i^exponent, as long as no limit is active and the costs are equal.

    Attributes
    ----------
    name : str
        What it is called.
    volume_power, b : float
        It minimises sum_i p_i^volume_power / delta_i^b.
    theorem : str
        IDs of the statements with that objective.
    optimises : str
        What the objective is.
    status : str
        How good a bound it comes from.
    """

    name: str
    volume_power: float
    b: float
    theorem: str
    optimises: str
    status: str

    @property
    def exponent(self) -> float:
        """volume_power / (1 + b)."""
        return self.volume_power / (1 + self.b)


_RECALLED = "perhaps the objective of DAGC-R (recalled, uncertain)"

_TABLE = (
    Preset(
        name="uniform",
        volume_power=0.0,
        b=1.0,
        theorem="",
        optimises="nothing: the same fraction for every worker",
        status="the baseline",
    ),
    Preset(
        name="jensen",
        volume_power=1.0,
        b=2.0,
        theorem="ef-memory-aggregate, nuef-convex",
        optimises="the memory of error feedback, summed by Jensen's inequality",
        status="valid, loose",
    ),
    Preset(
        name="tri",
        volume_power=1.0,
        b=1.0,
        theorem="step-limit, nuef21-nonconvex",
        optimises="the step-size limit of error feedback and EF21",
        status="necessary, and for EF21 sufficient to a factor of two",
    ),
    Preset(
        name="cs",
        volume_power=2.0,
        b=2.0,
        theorem="ef-memory-aggregate",
        optimises="the memory of error feedback, summed by the inequality of Cauchy and Schwarz",
        status=f"valid, loose; {_RECALLED}",
    ),
    Preset(
        name="chi2",
        volume_power=2.0,
        b=1.0,
        theorem="nu-dcgd",
        optimises="the variance of unbiased compression without memory",
        status=f"exact there, but with error feedback no better than uniform; {_RECALLED}",
    ),
)

PRESETS = {entry.name: entry for entry in _TABLE}
"""The named exponents; "tri" is the default everywhere."""
