"""Every theorem by ID."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

from .theorem import Theorem


@cache
def _by_id() -> Mapping[str, Theorem]:
    from . import (
        adaptive_compression,
        compressed_gradient,
        compressor_table,
        data_sparsity,
        error_feedback,
        event_triggering,
        ratio_assignment,
        staleness,
    )

    subjects = (
        adaptive_compression, compressor_table, compressed_gradient, data_sparsity, staleness, error_feedback,
        ratio_assignment, event_triggering,
    )  # fmt: skip
    return MappingProxyType({entry.id: entry for subject in subjects for entry in subject.THEOREMS})


def catalogue(subject: str | None = None) -> tuple[Theorem, ...]:
    """All theorems, or those of one subject, in the order of the dossier.

    Raises
    ------
    ValueError
        If no theorem has the subject.

    Examples
    --------
    >>> [entry.id for entry in catalogue("adaptive-compression")][:3]
    ['sc-implies-pl', 'proj-descent', 'descent-plus']
    """
    entries = tuple(_by_id().values())
    if subject is None:
        return entries
    found = tuple(entry for entry in entries if entry.subject == subject)
    if not found:
        subjects = sorted({entry.subject for entry in entries})
        raise ValueError(f"subject={subject!r} is unknown; there are {', '.join(subjects)}")
    return found


def theorem(id: str) -> Theorem:
    """The theorem with the dossier ID `id`.

    Raises
    ------
    ValueError
        If there is none; the message proposes the nearest IDs.

    Examples
    --------
    >>> theorem("topT-sc-exact").kind
    'tight'
    """
    known = _by_id()
    if id not in known:
        lowered = {name.lower(): name for name in known}
        near = difflib.get_close_matches(str(id).lower(), lowered, n=3, cutoff=0.4)
        raise ValueError(
            f"theorem={id!r} is unknown; nearest are {', '.join(lowered[name] for name in near) or 'none'}"
        )
    return known[id]
