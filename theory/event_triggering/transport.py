"""What the theorems need from real links (dossier 4.8)."""

from __future__ import annotations

import sympy

from ..assumptions import AVERAGE_PRESERVING, SYMMETRIC_MIXING
from ..certificate import Certificate, Identity, Sign, Square
from ..gram import inner, scalars, square, vectors
from ..symbols import parameter
from ..theorem import VALUE, Theorem
from .common import LATENCY, MOVEMENT, SUBJECT, c, source

_ell, _m = LATENCY.symbol, MOVEMENT.symbol
_at_send, _moved, _a2 = scalars("at_send moved a2")

LATENCY_STALENESS = Theorem(
    id="latency-staleness",
    title="Latency adds the movement of as many iterations",
    statement=(
        r"\text{FIFO links of latency}\le\ell:\qquad \lVert x_j^k-\hat x_{j\to "
        r"i}^k\rVert<c+\sum_{t=k-\ell}^{k-1}\lVert x_j^{t+1}-x_j^t\rVert\le c+\ell m"
    ),
    source=source("4.8"),
    status="derived",
    kind="upper",
    subject=SUBJECT,
    parameters=(parameter("trigger_threshold"), LATENCY, MOVEMENT),
    measure=r"\lVert x_j^k-\hat x_{j\to i}^k\rVert",
    value=c + _ell * _m,
    proof=Certificate(
        lines=(
            Sign("triangle inequality", VALUE - _at_send - _moved, where=(_at_send <= c, _moved <= _ell * _m)),
            Identity("the bound", VALUE - c - _ell * _m),
        ),
        domain=(c >= 0, _m >= 0, _ell >= 0),
        scope="every trigger that keeps the sender's record within c, every dimension",
    ),
    tightness="smallest slack seen .0001",
    pitfall="an older message that arrives later must be dropped",
)

_picked_u, _picked_v, _rest_u, _rest_v = vectors("picked_u picked_v rest_u rest_v")

TORN_COPIES = Theorem(
    id="torn-copies",
    title="A read torn between two versions costs a factor of about sqrt 5",
    statement=(
        r"\text{every entry from }v_1\text{ or }v_2:\qquad \lVert x_j-\hat x\rVert^2\le\lVert "
        r"x_j-v_1\rVert^2+\lVert x_j-v_2\rVert^2\le(2c+m)^2+c^2"
    ),
    source=source("4.8"),
    status="derived",
    kind="upper",
    subject=SUBJECT,
    parameters=(parameter("trigger_threshold"), MOVEMENT),
    measure=r"\lVert x_j-\hat x\rVert",
    value=sympy.sqrt((2 * c + _m) ** 2 + c**2),
    proof=Certificate(
        lines=(
            Identity(
                "the entries of either version: |u|^2 + |v|^2 - |picked of u|^2 - |rest of v|^2",
                square(_picked_u) + square(_rest_u) + square(_picked_v) + square(_rest_v)
                - square(_picked_u) - square(_rest_v),
                (),
                (Square(sympy.S.One, _rest_u), Square(sympy.S.One, _picked_v)),
            ),
            Sign("the older version: c + (c + m)", (2 * c + _m) ** 2 - _a2, where=(_a2 <= (c + (c + _m)) ** 2,)),
            Identity("together", VALUE**2 - (2 * c + _m) ** 2 - c**2),
        ),
        domain=(c >= 0, _m >= 0),
        scope="every dimension, every pattern of tearing",
    ),
    tightness="smallest slack seen .003",
    pitfall="torn reads invalidate bounded-delay: entries of (1, 0) and (0, 1) may give (1, 1)",
)  # fmt: skip

_W = sympy.Symbol("W_ij", real=True)
_hat_j, _hat_i, _rec_j, _rec_i, _any = vectors("copy_j_at_i copy_i_at_j record_j_of_i record_i_of_j u")

MASS_CONSERVATION = Theorem(
    id="mass-conservation",
    title="Over real links the average survives if both ends use the same versions in the same iteration",
    statement=(
        r"x_i\mathrel{+}=\sum_jW_{ij}(\hat x_{j\to i}-\hat x^{\rm rec}_{i\to j}):\quad n(\bar x^+-\bar "
        r"x)=\sum_{i<j}W_{ij}\big[(\hat x_{j\to i}-"
        r"\hat x^{\rm rec}_{j\to i})+(\hat x_{i\to j}-\hat x^{\rm rec}_{i\to j})\big]"
    ),
    source=source("4.8"),
    status="derived",
    kind="tight",
    subject=SUBJECT,
    assumptions=(AVERAGE_PRESERVING, SYMMETRIC_MIXING),
    proof=Certificate(
        lines=(
            Identity(
                "one link: both ends together",
                inner(_any, _W * (_hat_j - _rec_i) + _W * (_hat_i - _rec_j))
                - _W * inner(_any, (_hat_j - _rec_j) + (_hat_i - _rec_i)),
            ),
        ),
        scope="every number of workers, every graph with symmetric weights",
        remainder="the sum over the links",
    ),
    tightness="an identity",
    pitfall="a message in flight shifts the average for good, by its increment times the weight and the latency",
    checked_by=("tests/theory/test_event_triggering.py::test_the_average_survives_equal_versions",),
)

THEOREMS = (LATENCY_STALENESS, TORN_COPIES, MASS_CONSERVATION)
