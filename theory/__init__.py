"""The theory: parameters, theorems with their certificates, compression classes, communication costs."""

from __future__ import annotations

from .catalogue import catalogue, theorem

__all__ = ["catalogue", "theorem"]
