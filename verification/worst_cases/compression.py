"""Why performance estimation does not apply to the table of compressors, their compositions and bits (dossier 2.1)."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

_ENTRIES = "a compressor of the entries of one vector: scalar products see no entries; its worst vector is explicit"
_RULE = "a rule about compressors of one vector, in which no function occurs; the certificate is the worst case"
_BITS = "a count of the bits of a message, in which no function occurs"

NOT_APPLICABLE: Mapping[str, str] = MappingProxyType(
    {
        **dict.fromkeys(
            (
                "urq-bernoulli",
                "urq-optimal",
                "urq-randk",
                "urq-randk-replacement",
                "urq-ternary-inf",
                "urq-ternary-2",
                "urq-qsgd-2",
                "urq-qsgd-inf",
                "urq-natural",
                "urq-natural-base",
                "urq-natdither-2",
                "urq-natdither-inf",
                "urq-stochastic-sign",
                "det-topk",
                "det-sign",
                "det-onebit",
                "det-threshold",
                "det-grid",
            ),
            _ENTRIES,
        ),
        **dict.fromkeys(
            (
                "compose-unbiased",
                "compose-average",
                "compose-scale",
                "compose-unbiased-after-contractive",
                "compose-unscaled",
                "compose-induced",
            ),
            _RULE,
        ),
        "compose-blocks": "a statement about blocks of coordinates, which scalar products do not see",
        "compose-permk": "an equation between moments of the messages, in which no function occurs",
        "bits-qsgd-gamma": _BITS,
        "bits-packing": _BITS,
    }
)
"""Why performance estimation does not apply, by theorem ID."""
