"""Continual pre-training: how much of the old mix to replay, and the learning rate over it."""

from dataclasses import dataclass

from llm_data_assets.mixing.replay import SHARES, total_with_replay

SOURCE = "Ibrahim 2024, arXiv 2403.08763; learning rates unchecked"
# Defaults from memory of the paper, not checked against it: set them to what the base model used.
MAX_LEARNING_RATE, MIN_LEARNING_RATE, WARM_UP_SHARE = 3e-4, 3e-5, 0.01


@dataclass(frozen=True)
class ContinualAdvice:
    """Tokens of the run by part, and a learning rate that warms up again and decays by cosine."""

    replay_share: float
    new_tokens: int
    replay_tokens: int
    warm_up_tokens: int
    decay_tokens: int
    max_learning_rate: float
    min_learning_rate: float
    source: str


def continual_advice(new_tokens: int, shift: str) -> ContinualAdvice:
    """Replay is added to `new_tokens`, so that its share of the run is that for the shift.

    Raises:
        KeyError: the shift is neither `weak` nor `strong`.
    """
    share = SHARES[shift]
    total = total_with_replay(new_tokens, share, "add")
    warm_up = round(total * WARM_UP_SHARE)
    return ContinualAdvice(
        share, new_tokens, total - new_tokens, warm_up, total - warm_up,
        MAX_LEARNING_RATE, MIN_LEARNING_RATE, SOURCE,
    )  # fmt: skip
