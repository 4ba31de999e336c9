"""A budget under every law: from what is given to parameters, tokens, compute and loss."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from llm_data_assets.config.errors import ConfigError
from llm_data_assets.mixing.plan import R_STAR_D
from llm_data_assets.planning import laws
from llm_data_assets.planning.laws import LAWS, STANDARD, Law, Surface
from llm_data_assets.planning.quantities import flops_of_hours, parse_quantity, readable
from llm_data_assets.planning.vocabulary import MEASURED_UP_TO, vocabulary_range

EPOCH_DATA_UP_TO = 1e22  # FLOP; the largest of Chinchilla's runs
MANY_EPOCHS, WASTEFUL_EPOCHS = 4, 16  # Muennighoff 2023: near fresh; a third is lost


@dataclass(frozen=True)
class Given:
    """What is fixed: one of the first three, or two of them (then the laws only differ in loss).

    `unique` is the number of distinct tokens there are, `inference` the tokens to be served.
    """

    flops: float | None = None
    params: float | None = None
    tokens: float | None = None
    unique: float | None = None
    inference: float = 0.0


def given_of(quantities: Mapping[str, str | None], device: str | None, utilisation: float) -> Given:
    """The budget of the options, by option name, units read.

    Raises:
        ConfigError: a quantity that cannot be read, or hours without a device.
    """
    read = {name: parse_quantity(name, text) for name, text in quantities.items() if text}
    flops, hours = read.get("--flops"), read.get("--gpu-hours")
    if hours is not None:
        if flops is not None:
            raise ConfigError("--gpu-hours", "", "compute was given twice", "leave out --flops")
        if device is None:
            raise ConfigError("--gpu-hours", "", "no device was named", "--device H100")
        flops = flops_of_hours(hours, device, utilisation)
    return Given(
        flops,
        read.get("--params"),
        read.get("--tokens"),
        read.get("--unique-tokens"),
        read.get("--inference-tokens", 0.0),
    )


@dataclass(frozen=True)
class Point:
    """One law's answer; `loss` is in nats a token and comparable within a law only."""

    params: float
    tokens: float
    flops: float
    loss: float


def answer(
    given: Given, names: Sequence[str] = STANDARD, own: Surface | None = None
) -> dict[str, Point]:
    """What each law makes of the budget; `own` is the surface of the law of that name.

    Raises:
        ConfigError: an unknown law; nothing given, or everything.
    """
    known = dict(LAWS)
    if own:
        known["own"] = Law("own", own.frontier(), own.loss, "scaling_fit")
    for name in names:
        if name not in known:
            raise ConfigError("--law", "", f"{name!r} is unknown", f"one of {', '.join(known)}")
    fixed = sum(each is not None for each in (given.flops, given.params, given.tokens))
    if fixed not in (1, 2):
        problem = "nothing was given" if not fixed else "compute, size and tokens were all given"
        raise ConfigError(
            "plan", "", problem, "one or two of --flops (or --gpu-hours), --params, --tokens"
        )
    return {name: _point(given, known[name]) for name in names}


def _point(given: Given, law: Law) -> Point:
    name, flops, params, tokens = law.name, given.flops, given.params, given.tokens
    if flops is not None and params is not None:
        tokens = flops / (6 * params)
    elif flops is not None and tokens is not None:
        params = flops / (6 * tokens)
    elif params is not None and tokens is not None:
        flops = 6 * params * tokens
    elif name == "inference_aware" and given.inference:
        return _inference_aware(given)
    else:
        if flops is None:
            front = law.frontier
            flops = (
                front.flops_for_params(params) if params else front.flops_for_tokens(tokens or 0)
            )
        params = params or law.frontier.params(flops)
        tokens = tokens or law.frontier.tokens(flops)
        if name == "data_constrained" and given.unique and given.flops:
            params, tokens = laws.data_constrained_optimum(flops, given.unique)
    assert flops is not None and params is not None and tokens is not None
    if name == "data_constrained" and given.unique:
        return Point(
            params, tokens, flops, laws.data_constrained_loss(params, tokens, given.unique)
        )
    return Point(params, tokens, flops, law.loss(params, tokens))


def _inference_aware(given: Given) -> Point:
    """The cheaper model of the quality that the budget buys without serving."""
    front = LAWS["inference_aware"].frontier
    flops = given.flops or (
        front.flops_for_params(given.params)
        if given.params
        else front.flops_for_tokens(given.tokens or 0)
    )
    found = laws.inference_aware(front.params(flops), given.inference)
    return Point(found.params, found.tokens, 6 * found.params * found.tokens, found.loss)


def vocabulary(given: Given, points: Mapping[str, Point]) -> dict[str, Any]:
    """The range of vocabulary sizes for the model of Chinchilla's approach 1, or the given one."""
    first = points.get("chinchilla_1") or next(iter(points.values()))
    found = vocabulary_range(given.params or first.params)
    return {
        "params": found.params,
        "width": found.width,
        "isoflop": found.isoflop,
        "derivative": found.derivative,
        "parametric": found.parametric,
        "low": found.low,
        "high": found.high,
        "extrapolated": found.extrapolated,
        "measured_up_to": MEASURED_UP_TO,
    }


def remarks(given: Given, points: Mapping[str, Point]) -> list[str]:
    """What a reader must know beside the numbers: spread, extrapolation, repetition."""
    said = []
    for what in ("params", "tokens", "flops"):
        values = {name: getattr(point, what) for name, point in points.items()}
        low, high = min(values, key=values.__getitem__), max(values, key=values.__getitem__)
        ratio = values[high] / values[low]
        least, most = (
            f"{values[each]:.3g}" if what == "flops" else readable(values[each])
            for each in (low, high)
        )
        if ratio > 1.005:
            said.append(
                f"{what}: from {least} ({low}) to {most} "
                f"({high}), {ratio:.3g} times"
                + ("; the laws do not agree, treat any one number as a guess" * (ratio > 2))
            )
    compute = max(point.flops for point in points.values())
    if compute > EPOCH_DATA_UP_TO:
        said.append(
            f"{compute:.3g} FLOP lies beyond the runs behind these laws (about 1e22): an "
            "extrapolation"
        )
    if given.params and given.tokens:
        front = LAWS["chinchilla_1"].frontier
        ratio = given.tokens / front.tokens(front.flops_for_params(given.params))
        said.append(
            f"{given.tokens / given.params:.3g} tokens a parameter, {ratio:.3g} times the optimum "
            "of chinchilla_1"
        )
    if given.inference and "inference_aware" in points:
        said.append(
            "inference_aware keeps the loss of the model that the budget buys without serving, so "
            "its own size and training compute differ from those given"
            if (given.flops, given.params, given.tokens).count(None) == 2
            else "--inference-tokens changes nothing where two quantities are given"
        )
    if given.unique:
        said += _repetition(given.unique, points)
    if points.keys() & {"chinchilla_1", "chinchilla_2", "chinchilla_3_table"}:
        said.append("chinchilla_1 and _2 fit no loss of their own: theirs is chinchilla_3's")
    return said


def _repetition(unique: float, points: Mapping[str, Point]) -> list[str]:
    most = max(point.tokens for point in points.values())
    epochs = most / unique
    worth = laws.effective_tokens(most, unique)
    if epochs <= 1:
        return []
    verdict = (
        "more than 16 passes: further ones are worth little"
        if epochs > WASTEFUL_EPOCHS
        else "more than 4 passes: repeated text is losing value"
        if epochs > MANY_EPOCHS
        else "up to 4 passes are nearly as good as fresh text"
    )
    value = math.exp(-(epochs - 1) / R_STAR_D)
    return [
        f"{readable(most)} tokens from {readable(unique)} are {epochs:.3g} passes, worth "
        f"{readable(worth)} fresh ones; the next pass is worth {value:.0%}: {verdict}"
    ]
