"""Vocabulary laws of Tao et al. 2024 (arXiv 2407.13623): three approaches, reported as a range.

Constants are those of the released code (sail-sg/scaling-with-vocab).
"""

import math
from dataclasses import dataclass

# Embedding width by non-vocabulary parameters, up to and including the bound.
_WIDTHS = (
    (50e6, 512), (200e6, 768), (500e6, 1024), (1e9, 1536), (2e9, 2048), (5e9, 3200),
    (10e9, 4096), (20e9, 5120), (50e9, 6048), (100e9, 8192), (200e9, 12288), (500e9, 16384),
    (1e12, 20480),
)  # fmt: skip
MEASURED_UP_TO = 96_256  # the largest vocabulary of the runs
MEASURED_PARAMS = 2.87e9  # the largest model of the runs


@dataclass(frozen=True)
class VocabularyRange:
    """Optimal vocabulary sizes for a model of `params` non-vocabulary parameters."""

    params: float
    width: int
    isoflop: int
    derivative: int
    parametric: int

    @property
    def low(self) -> int:
        """The smallest of the three."""
        return min(self.isoflop, self.derivative, self.parametric)

    @property
    def high(self) -> int:
        """The largest of the three."""
        return max(self.isoflop, self.derivative, self.parametric)

    @property
    def extrapolated(self) -> bool:
        """Whether the answer lies outside the runs that the laws were fitted to."""
        return self.high > MEASURED_UP_TO or self.params > MEASURED_PARAMS


def width_of(params: float) -> int:
    """Embedding width of a model with this many non-vocabulary parameters."""
    return next((width for bound, width in _WIDTHS if params <= bound), 24576)


def tokens_per_character(vocabulary: float) -> float:
    """Tokens that a character makes; the fit is held at 200 000 entries."""
    log = math.log(min(vocabulary, 200_000))
    return 0.00639222 * log**2 - 0.15811069 * log + 1.20470122


def flops_of(params: float) -> float:
    """The compute at which approach 1 trains this many non-vocabulary parameters."""
    return float((params / math.exp(-2.4846510161625193)) ** 2)


def by_isoflop(flops: float) -> float:
    """Approach 1: vocabulary parameters from compute."""
    return float(math.exp(-1.589031299255507) * flops**0.4163622634135234)


def by_derivative(params: float) -> float:
    """Approach 2: vocabulary parameters from non-vocabulary ones, from the anchor at 33M."""
    return float(3_145_728 * (params / 33e6) ** 0.8353974035228025)


def by_parametric(params: float, flops: float) -> float:
    """Approach 3: the vocabulary size of the least unigram-normalised loss at this compute.

    Published constants. They depend on a step of the released script that feeds thousands of
    entries into `tokens_per_character`; refitted without it the sizes fall to about a third.
    """
    from scipy.optimize import minimize_scalar  # 0.2 s and 40 MB: for who plans

    width = width_of(params)

    def loss(log_vocabulary: float) -> float:
        embedding = math.exp(log_vocabulary) * width
        tokens = flops / (6 * (params + embedding))
        return float(
            0.19584238398665638 / (embedding / 1e6) ** 0.6707374679896795
            + 2.1241123120064955 / (tokens / 1e9) ** 0.44660634152009615
        )

    found = minimize_scalar(
        loss, bounds=(math.log(1e3), math.log(1e7)), method="bounded", options={"xatol": 1e-10}
    )
    return math.exp(float(found.x))


def vocabulary_range(params: float, flops: float | None = None) -> VocabularyRange:
    """The three answers; without `flops`, at the compute of approach 1."""
    compute = flops or flops_of(params)
    width = width_of(params)
    return VocabularyRange(
        params,
        width,
        round(by_isoflop(compute) / width),
        round(by_derivative(params) / width),
        round(by_parametric(params, compute)),
    )
