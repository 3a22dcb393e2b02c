"""Where the numbers of figures are computed, and where they are kept."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module

from taciturn.solvers.array import Array, check_choice

from .cache import Cache

__all__ = ["BACKENDS", "BUDGETS", "Progress", "Setting"]

BACKENDS = ("numpy", "torch")
BUDGETS = ("quick", "full")

Progress = Callable[[int, int], None]
"""Called with the number of parts done and the number of all parts."""


@dataclass(frozen=True)
class Setting:
    """An array library, a device, a cache, and how much is computed.

    Parameters
    ----------
    cache : Cache
        Where runs are kept that several figures share.
    backend : {"numpy", "torch"}
        Library that computes. Runs agree to 1e-6 relative as long as no two magnitudes tie to rounding.
    device : str
        Device of the library: "cpu", or "cuda" and the like with torch.
    budget : {"quick", "full"}
        Whether a figure takes seconds, or more replicas, points and accuracy.

    Raises
    ------
    ImportError
        If torch is wanted and missing.
    ValueError
        If the backend or the budget is unknown, or the backend has no such device.
    """

    cache: Cache
    backend: str = "numpy"
    device: str = "cpu"
    budget: str = "quick"

    def __post_init__(self) -> None:
        check_choice(self.backend, "backend", BACKENDS)
        check_choice(self.budget, "budget", BUDGETS)
        try:
            self.prototype()
        except ImportError as error:
            raise ImportError(f"backend={self.backend!r} needs torch: pip install 'taciturn[torch]'") from error
        except (ValueError, RuntimeError, AssertionError) as error:  # what NumPy and torch raise
            raise ValueError(f"device={self.device!r} is not there with backend={self.backend!r}: {error}") from error

    def prototype(self) -> Array:
        """Return an array of the library and device, float64, for others to follow."""
        xp = import_module(f"array_api_compat.{self.backend}")
        return xp.zeros(1, dtype=xp.float64, device=self.device)
