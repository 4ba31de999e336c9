"""Scaling laws: the loss of a model and the best use of compute, under each published law.

Parameters N, training tokens D, compute C = 6·N·D in FLOP, loss in nats a token. Losses of
different laws stand on different data and tokenizers: never compare them across laws.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

from llm_data_assets.mixing.plan import R_STAR_D

PF_DAY = 8.64e19  # FLOP
R_STAR_N = 5.309743  # Muennighoff et al. 2023 (arXiv 2305.16264), released constants


@dataclass(frozen=True)
class Surface:
    """The loss E + A/N^alpha + B/D^beta of Hoffmann et al. 2022 (arXiv 2203.15556), eq. 2."""

    A: float
    B: float
    E: float
    alpha: float
    beta: float

    def loss(self, params: float, tokens: float) -> float:
        """Loss in nats a token."""
        return self.E + self.A / params**self.alpha + self.B / tokens**self.beta

    @property
    def exponent(self) -> float:
        """a of N_opt ~ C^a."""
        return self.beta / (self.alpha + self.beta)

    @property
    def scale(self) -> float:
        """G of N_opt = G·(C/6)^a (eq. 4 of the paper)."""
        return (self.alpha * self.A / (self.beta * self.B)) ** (1 / (self.alpha + self.beta))

    def frontier(self) -> "Frontier":
        """The least loss at each compute, in closed form."""
        a = self.exponent
        return Frontier(self.scale / 6**a, a, 1 / self.scale / 6 ** (1 - a), 1 - a)


@dataclass(frozen=True)
class Frontier:
    """Compute-optimal N = n·C^a and D = d·C^b."""

    n: float
    a: float
    d: float
    b: float

    def params(self, flops: float) -> float:
        """Optimal parameters for the compute."""
        return self.n * flops**self.a

    def tokens(self, flops: float) -> float:
        """Optimal training tokens for the compute."""
        return self.d * flops**self.b

    def flops_for_params(self, params: float) -> float:
        """The compute at which a model of this size is optimal."""
        return float((params / self.n) ** (1 / self.a))

    def flops_for_tokens(self, tokens: float) -> float:
        """The compute at which this many tokens are optimal."""
        return float((tokens / self.d) ** (1 / self.b))


def _from_logs(a: float, b: float, e: float, alpha: float, beta: float) -> Surface:
    return Surface(math.exp(a), math.exp(b), math.exp(e), alpha, beta)


# Approach 3 as printed; its rounded exponents give a = 0.45 where the paper says 0.46.
CHINCHILLA_ROUNDED = Surface(406.4, 410.7, 1.69, 0.34, 0.28)
# The same fit with the digits of the paper's source, as used by Besiroglu et al. 2024.
CHINCHILLA_UNROUNDED = _from_logs(6.0073404, 6.0179186, 0.5267228, 0.33917084, 0.2849083)
# Besiroglu et al. 2024 (arXiv 2404.10102), the refit of the points of Chinchilla's figure 4.
EPOCH = Surface(482.01, 2085.43, 1.8172, 0.3478, 0.3658)
# Muennighoff et al. 2023, constants of the released code.
DATA_CONSTRAINED = _from_logs(6.255414, 7.3049974, 0.6254804, 0.3526596, 0.3526596)
# Sardana et al. 2024 (arXiv 2401.00448) take Chinchilla's with exponents to three digits.
SARDANA = Surface(406.4, 410.7, 1.69, 0.336, 0.283)


def kaplan_loss(
    params: float,
    tokens: float,
    *,
    a_n: float = 0.076,
    a_d: float = 0.103,
    n_c: float = 6.4e13,
    d_c: float = 1.8e13,
) -> float:
    """The joint law of Kaplan et al. 2020 (arXiv 2001.08361), eq. 1.5, constants of table 2.

    It is not the sum of the two single-variable laws; `params` exclude embeddings.
    """
    return float(((n_c / params) ** (a_n / a_d) + d_c / tokens) ** a_d)


def _kaplan_frontier() -> Frontier:
    # N = 1.3e9·C_min^0.73 in PF-days, with C_min = C/2 at the critical batch size; Chinchilla's
    # appendix D.4 quotes the same prediction (4.68e9 at 1e21 FLOP).
    n = 1.3e9 / (2 * PF_DAY) ** 0.73
    return Frontier(n, 0.73, 1 / (6 * n), 0.27)


@dataclass(frozen=True)
class Law:
    """A law by name: its frontier, its loss, and where both come from."""

    name: str
    frontier: Frontier
    loss: Callable[[float, float], float]
    source: str


def _law(name: str, surface: Surface, source: str, frontier: Frontier | None = None) -> Law:
    return Law(name, frontier or surface.frontier(), surface.loss, source)


_HOFFMANN = "Hoffmann 2022, arXiv 2203.15556"
# Approaches 1 and 2 are power laws through the rows of tables 3 and A3. They fit no loss, so the
# surface of approach 3 speaks for the same paper's runs.
LAWS = {
    law.name: law
    for law in (
        Law("kaplan", _kaplan_frontier(), kaplan_loss, "Kaplan 2020, arXiv 2001.08361, eq. 1.5"),
        _law("chinchilla_1", CHINCHILLA_UNROUNDED, f"{_HOFFMANN}, table 3; loss of approach 3",
             Frontier(0.0991589, 0.49810, 1.69608, 0.50185)),
        _law("chinchilla_2", CHINCHILLA_UNROUNDED, f"{_HOFFMANN}, table A3; loss of approach 3",
             Frontier(0.144877, 0.48994, 1.15276, 0.51002)),
        _law("chinchilla_3", CHINCHILLA_UNROUNDED, f"{_HOFFMANN}, approach 3, unrounded"),
        _law("chinchilla_3_rounded", CHINCHILLA_ROUNDED, f"{_HOFFMANN}, approach 3, as printed"),
        _law("chinchilla_3_table", CHINCHILLA_UNROUNDED, f"{_HOFFMANN}, table A3, approach 3",
             Frontier(0.534622, 0.45866, 0.31537, 0.54098)),
        _law("epoch", EPOCH, "Besiroglu 2024, arXiv 2404.10102"),
        _law("data_constrained", DATA_CONSTRAINED, "Muennighoff 2023, arXiv 2305.16264"),
        _law("inference_aware", SARDANA, "Sardana 2024, arXiv 2401.00448"),
    )
}  # fmt: skip
STANDARD = ("kaplan", "chinchilla_1", "chinchilla_2", "chinchilla_3", "epoch",
            "data_constrained", "inference_aware")  # fmt: skip


def effective_tokens(tokens: float, unique: float) -> float:
    """What `tokens` read from `unique` ones are worth in fresh ones (Muennighoff 2023, eq. 5)."""
    repeats = max(0.0, tokens / unique - 1)
    return min(tokens, unique) + unique * R_STAR_D * -math.expm1(-repeats / R_STAR_D)


def data_constrained_loss(params: float, tokens: float, unique: float) -> float:
    """Loss where only `unique` tokens exist: repeated tokens and spare parameters fade."""
    there = min(tokens, unique)
    law = DATA_CONSTRAINED
    own = (there * law.scale) ** (law.beta / law.alpha) * law.scale  # N_opt(U_D)
    useful = min(params, own)
    spare = params / useful - 1
    worth = useful + useful * R_STAR_N * -math.expm1(-spare / R_STAR_N)
    return law.loss(worth, effective_tokens(tokens, unique))


def data_constrained_optimum(flops: float, unique: float) -> tuple[float, float]:
    """Parameters and tokens of the least loss at this compute when only `unique` tokens exist."""
    from scipy.optimize import minimize_scalar  # 0.2 s and 40 MB: for who plans

    fresh = math.log(DATA_CONSTRAINED.frontier().params(flops))

    def loss(log_params: float) -> float:
        params = math.exp(log_params)
        return data_constrained_loss(params, flops / (6 * params), unique)

    if DATA_CONSTRAINED.frontier().tokens(flops) <= unique:
        best = fresh
    else:  # repetition moves some of the compute into parameters
        best = float(minimize_scalar(loss, bounds=(fresh - 3, fresh + 12), method="bounded").x)
    return math.exp(best), flops / (6 * math.exp(best))


@dataclass(frozen=True)
class InferenceAware:
    """The model that costs least over training and use, at the quality of a reference model.

    `token_ratio` is its training tokens over the reference's, `saving` the part of the FLOP of
    training and use saved, `saved_flops` the same in FLOP.
    """

    params: float
    tokens: float
    loss: float
    token_ratio: float
    saving: float
    saved_flops: float


def inference_aware(
    reference_params: float, inference_tokens: float, surface: Surface = SARDANA
) -> InferenceAware:
    """min 6·N·D + 2·N·D_inf at the loss of the compute-optimal model (Sardana 2024, eq. 3)."""
    from scipy.optimize import minimize_scalar

    frontier = surface.frontier()
    reference_tokens = frontier.tokens(frontier.flops_for_params(reference_params))
    loss = surface.loss(reference_params, reference_tokens)

    def tokens(params: float) -> float:
        rest = loss - surface.E - surface.A / params**surface.alpha
        return float((surface.B / rest) ** (1 / surface.beta))

    def cost(params: float) -> float:
        return 6 * params * tokens(params) + 2 * params * inference_tokens

    if not inference_tokens:
        return InferenceAware(reference_params, reference_tokens, loss, 1.0, 0.0, 0.0)
    # Below the floor no number of tokens reaches the loss.
    floor = (surface.A / (loss - surface.E)) ** (1 / surface.alpha)
    found = minimize_scalar(
        lambda x: math.log(cost(math.exp(x))),
        bounds=(math.log(floor) + 1e-6, math.log(reference_params)),
        method="bounded",
        options={"xatol": 1e-10},
    )
    params = math.exp(float(found.x))
    before = 6 * reference_params * reference_tokens + 2 * reference_params * inference_tokens
    saved = before - cost(params)
    return InferenceAware(
        params, tokens(params), loss, tokens(params) / reference_tokens, saved / before, saved
    )
