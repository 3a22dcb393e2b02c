"""The theory: parameters, theorems with their certificates, compression classes, communication costs.

Examples
--------
>>> from taciturn.theory import theorem
>>> theorem("topT-sc-exact").evaluate(L=1, mu=0.1, alpha=0.5).rate
0.935168...
"""

from __future__ import annotations

from .catalogue import catalogue, theorem
from .communication import technologies, technology
from .recommend import Recommendation, recommend
from .theorem import Guarantee, Theorem

__all__ = [
    "Guarantee",
    "Recommendation",
    "Theorem",
    "catalogue",
    "recommend",
    "technologies",
    "technology",
    "theorem",
]
