"""Communication-aware tuning: how many entries of a gradient are worth their price."""

from .coordination import Coordination, coordinated_tune
from .profile import Profile, profile
from .sampling import optimal_probabilities, systematic_sample
from .tuning import Tuning, tune

__all__ = [
    "Coordination",
    "Profile",
    "Tuning",
    "coordinated_tune",
    "optimal_probabilities",
    "profile",
    "systematic_sample",
    "tune",
]
