"""The assumptions that theorems name, each declared once."""

from __future__ import annotations

from collections.abc import Iterable

from .checks import check_choice
from .theorem import Assumption

L_SMOOTH = Assumption(
    "L_smooth",
    r"F(y)\le F(x)+\langle\nabla F(x),y-x\rangle+\tfrac L2\lVert y-x\rVert^2\ \text{for all }x,y",
)
LIPSCHITZ_GRADIENT = Assumption(
    "lipschitz_gradient", r"\lVert\nabla F(x)-\nabla F(y)\rVert\le L\lVert x-y\rVert", ("L_smooth",)
)
CONVEX = Assumption("convex", r"F(y)\ge F(x)+\langle\nabla F(x),y-x\rangle")
PL = Assumption("PL", r"\lVert\nabla F(x)\rVert^2\ge2\mu(F(x)-F^*)", ("bounded_below",))
STRONGLY_CONVEX = Assumption(
    "strongly_convex",
    r"F(y)\ge F(x)+\langle\nabla F(x),y-x\rangle+\tfrac\mu2\lVert y-x\rVert^2",
    ("convex", "PL", "quadratic_growth", "bounded_below"),
)
BOUNDED_BELOW = Assumption("bounded_below", r"F\ge F_{\inf}>-\infty")
BOUNDED_DISTANCE = Assumption("bounded_distance", r"\lVert x_k-x^*\rVert\le R\ \text{for all }k<K")
EXACT_GRADIENT = Assumption(
    "exact_gradient", r"g=\nabla F(x)\ \text{is deterministic}", ("worker_noise", "uncorrelated_noise")
)
STOCHASTIC_GRADIENT = Assumption(
    "stochastic_gradient", r"\mathbb E\,\tilde g=\nabla F(x),\ \mathbb E\lVert\tilde g-\nabla F(x)\rVert^2\le\sigma^2"
)
PROJECTION = Assumption(
    "projection", r"\langle g,q\rangle=\lVert q\rVert^2,\ \lVert q\rVert^2\ge\alpha\lVert g\rVert^2", ("contractive",)
)
UNBIASED = Assumption("unbiased", r"\mathbb E\,Q(g)=g,\ \mathbb E\lVert Q(g)\rVert^2\le\tfrac1\omega\lVert g\rVert^2")
CONTRACTIVE = Assumption("contractive", r"\mathbb E\lVert C(v)-v\rVert^2\le(1-\delta)\lVert v\rVert^2")
UNCOMPRESSED = Assumption("uncompressed", r"q=g", ("projection", "contractive", "top_T"))
TOP_T = Assumption("top_T", r"q=g_T,\ \text{the }T\text{ largest magnitudes}", ("projection", "contractive"))
SCALED_SIGN = Assumption("scaled_sign", r"q=\tfrac{B_T}T\operatorname{sign}(g_T)", ("projection", "contractive"))
DYNAMIC_RULE = Assumption("dynamic_rule", r"T=\min\{T:B_T\ge\lVert g\rVert\}\ \text{with S+Q}")
CAT_RULE = Assumption("cat_rule", r"T_k\ \text{maximises decrease per unit of price}")
SEPARABLE_CURVATURE = Assumption(
    "separable_curvature",
    r"F(y)\ge F(x)+\langle g,y-x\rangle+\tfrac12\textstyle\sum_j\mu_j(y_j-x_j)^2",
    ("strongly_convex", "convex", "PL", "bounded_below"),
)
RESTRICTED_SMOOTHNESS = Assumption(
    "restricted_smoothness",
    r"F(x+v)\le F(x)+\langle g,v\rangle+\tfrac{L_T}2\lVert v\rVert^2\ \text{for every }T\text{-sparse }v",
)
DISSIMILARITY = Assumption(
    "dissimilarity", r"\textstyle\sum_ip_i\lVert\nabla f_i(x)\rVert^2\le G\lVert\nabla F(x)\rVert^2+B^2"
)
EACH_CONVEX = Assumption("each_convex", r"\text{every }f_i\text{ is convex and }L_i\text{-smooth}", ("convex",))
EACH_LIPSCHITZ = Assumption("each_lipschitz", r"\text{every }\nabla f_i\text{ is }L_i\text{-Lipschitz}")
INDEPENDENT_WORKERS = Assumption(
    "independent_workers", r"\text{the workers' compressors are independent given the iterate}"
)

EACH_STRONGLY_CONVEX = Assumption(
    "each_strongly_convex",
    r"\text{every }f_i\text{ is }\mu\text{-strongly convex and }L_i\text{-smooth}",
    ("each_convex", "strongly_convex", "quadratic_growth", "convex", "PL", "bounded_below"),
)
QUADRATIC_GROWTH = Assumption("quadratic_growth", r"F(x)-F^*\ge\tfrac\mu2\lVert x-x^*\rVert^2", ("bounded_below",))
FRESH = Assumption(
    "fresh", r"\mathbb E[\xi_k\mid\mathcal F_k]=0:\ \text{every compressed message enters one update only}"
)
OBLIVIOUS = Assumption("oblivious", r"\text{no delay depends on any coin of a compressor}")
NOISE = Assumption("noise", r"\mathbb E[\lVert\xi_k\rVert^2\mid\mathcal F_k]\le2B_0D_k+N_0")
RELATIVE_NOISE = Assumption(
    "relative_noise", r"\mathbb E[\lVert\xi_k\rVert^2\mid\mathcal F_k]\le\beta\lVert v_k\rVert^2+\zeta^2"
)
SECOND_MOMENT = Assumption("second_moment", r"\mathbb E[\lVert G_k\rVert^2\mid\mathcal F_k]\le2AD_k+N")
WEIGHTED_DISSIMILARITY = Assumption(
    "weighted_dissimilarity",
    r"\textstyle\sum_ip_i^2\lVert\nabla f_i(x)\rVert^2\le B^2\lVert\nabla F(x)\rVert^2+\zeta_0^2",
)
WINDOW_MOMENT = Assumption(
    "window_moment", r"\mathbb E\lVert G_j\rVert^2\le P\max_{j-\tau\le s\le j}\mathbb E\lVert x_s-x^*\rVert^2+R"
)
SUPPORT_PRESERVING = Assumption(
    "support_preserving", r"\operatorname{supp}Q_i(v)\subseteq\operatorname{supp}v\ \text{for every worker}"
)
NOISE_FREE = Assumption("noise_free", r"\xi_k=0:\ \text{exact gradients, uncompressed}")
SAME_FUNCTION = Assumption(
    "same_function", r"f_i=f;\ \text{one message per update, each worker restarts from the newest model}"
)
STORED = Assumption(
    "stored", r"\text{each worker's last compressed message is kept and used again until it is replaced}"
)
ABSOLUTE = Assumption("absolute", r"\mathbb E\lVert C_i(v)-v\rVert^2\le\kappa_i^2")
BOUNDED_DELAY = Assumption("bounded_delay", r"0\le\tau_i^k\le\min(\tau,k)")
MEASURED_DELAY = Assumption(
    "measured_delay", r"\tau_k\ \text{is known at step }k\text{ and}\ \textstyle\sum_{j=k-\tau_k}^k\gamma_j\le h/\hat L"
)
KNOWN_PATTERN = Assumption("known_pattern", r"\text{the delays of the whole run are known}", ("bounded_delay",))

WORKER_NOISE = Assumption(
    "worker_noise", r"g_i^k=\nabla f_i(x_k)+\xi_i^k,\ \mathbb E\,\xi_i^k=0,\ \mathbb E\lVert\xi_i^k\rVert^2\le s_i^2"
)
UNCORRELATED_NOISE = Assumption(
    "uncorrelated_noise",
    r"\mathbb E\langle\xi_i^k,\xi_j^k\rangle=0\ \text{for }i\ne j;\quad \sigma^2=\textstyle\sum_ip_i^2s_i^2",
)
WORKER_DISSIMILARITY = Assumption(
    "worker_dissimilarity", r"\lVert\nabla f_i(x)\rVert\le\zeta_i+b_i\lVert\nabla F(x)\rVert"
)
COMMON_MINIMISER = Assumption("common_minimiser", r"\nabla f_i(x^*)=0\ \text{for every worker}")
SINGLE_WORKER = Assumption("single_worker", r"n=1", ("common_minimiser",))
BOUNDED_GRADIENTS = Assumption("bounded_gradients", r"\lVert g_i^k\rVert\le h_i")
BOUNDED_MEMORY = Assumption("bounded_memory", r"\mathbb E\lVert\bar e_k\rVert^2\le\bar E^2\ \text{for all }k")
MEAN_LINEAR = Assumption("mean_linear", r"\mathbb E\,C_i(v)=\delta_iv")
HARD_THRESHOLD = Assumption(
    "hard_threshold", r"C_\lambda(v)_j=v_j\ \text{if}\ |v_j|>\lambda,\ \text{else }0", ("absolute",)
)

SYMMETRIC_MIXING = Assumption(
    "symmetric_mixing", r"W=W^\top,\ W\mathbf1=\mathbf1", ("doubly_stochastic", "row_stochastic")
)
DOUBLY_STOCHASTIC = Assumption(
    "doubly_stochastic", r"W\mathbf1=\mathbf1,\ \mathbf1^\top W=\mathbf1^\top", ("row_stochastic",)
)
ROW_STOCHASTIC = Assumption("row_stochastic", r"W\mathbf1=\mathbf1")
NONNEGATIVE_MIXING = Assumption("nonnegative_mixing", r"W_{ij}\ge0")
CONNECTED = Assumption("connected", r"\lVert W-J\rVert_2<1")
STALE_COPIES = Assumption("stale_copies", r"\lVert\hat x_{j\to i}^k-x_j^k\rVert\le c_k\ \text{on every link}")
COMMON_COPIES = Assumption("common_copies", r"\hat x_{j\to i}=\hat x_j\ \text{for every receiver }i")
PAST_COPIES = Assumption("past_copies", r"\text{the copies used at }k\text{ do not depend on the gradient noise of }k")
PUBLISHED_UPDATE = Assumption(
    "published_update", r"X^{k+1}=WX^k+(W-D)(\hat X^k-X^k)-\gamma G^k,\ D=\operatorname{diag}W"
)
AVERAGE_PRESERVING = Assumption("average_preserving", r"X^{k+1}=X^k+(W-I)\hat X^k-\gamma G^k", ("common_copies",))
IDENTICAL_WORKERS = Assumption("identical_workers", r"f_i=f,\ x_i^0=x^0,\ W_{ii}=w")
UNIFORM_DISSIMILARITY = Assumption(
    "uniform_dissimilarity",
    r"\tfrac1n\textstyle\sum_i\lVert\nabla f_i(x)-\nabla F(x)\rVert^2\le\zeta^2\ \text{for all }x",
)
WHOLE_VECTORS = Assumption("whole_vectors", r"\text{every copy used is one past vector}\ x_j^t,\ t\ge k-\tau")
DAMPED = Assumption("damped", r"W_\eta=(1-\eta)I+\eta W\ \text{with the}\ \eta\ \text{of the statement}")

ASSUMPTIONS = (
    L_SMOOTH, LIPSCHITZ_GRADIENT, CONVEX, PL, STRONGLY_CONVEX, BOUNDED_BELOW, BOUNDED_DISTANCE, EXACT_GRADIENT,
    STOCHASTIC_GRADIENT, PROJECTION, UNBIASED, CONTRACTIVE, UNCOMPRESSED, TOP_T, SCALED_SIGN, DYNAMIC_RULE, CAT_RULE,
    SEPARABLE_CURVATURE, RESTRICTED_SMOOTHNESS, DISSIMILARITY, EACH_CONVEX, EACH_LIPSCHITZ, INDEPENDENT_WORKERS,
    EACH_STRONGLY_CONVEX, QUADRATIC_GROWTH, FRESH, OBLIVIOUS, NOISE, RELATIVE_NOISE, STORED, ABSOLUTE, BOUNDED_DELAY,
    MEASURED_DELAY, KNOWN_PATTERN, SECOND_MOMENT, WEIGHTED_DISSIMILARITY, WINDOW_MOMENT, SUPPORT_PRESERVING, NOISE_FREE,
    SAME_FUNCTION, WORKER_NOISE, UNCORRELATED_NOISE, WORKER_DISSIMILARITY, COMMON_MINIMISER, SINGLE_WORKER,
    BOUNDED_GRADIENTS, BOUNDED_MEMORY, MEAN_LINEAR, HARD_THRESHOLD,
    SYMMETRIC_MIXING, DOUBLY_STOCHASTIC, ROW_STOCHASTIC, NONNEGATIVE_MIXING, CONNECTED, STALE_COPIES, COMMON_COPIES,
    PAST_COPIES, PUBLISHED_UPDATE, AVERAGE_PRESERVING, IDENTICAL_WORKERS, UNIFORM_DISSIMILARITY, WHOLE_VECTORS, DAMPED,
)  # fmt: skip


def closure(names: Iterable[str]) -> frozenset[str]:
    """The assumptions in `names` and all that they imply.

    Raises
    ------
    ValueError
        If a name is unknown.

    Examples
    --------
    >>> sorted(closure(["lipschitz_gradient"]))
    ['L_smooth', 'lipschitz_gradient']
    """
    names = set(names)
    by_name = {assumption.name: assumption for assumption in ASSUMPTIONS}
    unknown = sorted(names - by_name.keys())
    for name in unknown:
        check_choice(name, "assumption", tuple(by_name))
    known = names
    while more := {weaker for name in known for weaker in by_name[name].implies} - known:
        known |= more
    return frozenset(known)
