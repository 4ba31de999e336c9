"""What a recipe asks for, as weights of sources: given, of the literature, bounded, replayed."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from llm_data_assets.config.catalog import Source
from llm_data_assets.config.pipeline import Recipe, ShareBound
from llm_data_assets.mixing.bounds import Bound, within_bounds
from llm_data_assets.mixing.plan import PlanRow, plan
from llm_data_assets.mixing.references import from_reference
from llm_data_assets.mixing.replay import SHARES, total_with_replay, with_replay
from llm_data_assets.mixing.weights import largest_remainder


@dataclass(frozen=True)
class PhasePlan:
    """One part of the run: its name, where it starts, and what each source gives to it."""

    name: str
    first_position: int
    rows: Sequence[PlanRow]


def plan_recipe(
    recipe: Recipe,
    recipes: Mapping[str, Recipe],
    sources: Mapping[str, Source],
    available: Mapping[str, int],
) -> list[PhasePlan]:
    """The phases of a recipe's run, in order.

    Args:
        recipes: all recipes, for the one that is replayed.
        sources: what the catalog says of each source, for bounds on groups.
        available: packed sequences of each source that takes part.

    Raises:
        ValueError: weights, bounds or caps that cannot be met; the message says which and how far.
    """
    total = sum(available[name] for name in own_sources(recipe, available))
    if recipe.total_tokens:
        total = max(1, recipe.total_tokens // recipe.sequence_length)
    if recipe.replay:
        total = total_with_replay(total, replay_share(recipe), recipe.replay.how)
    phases = {phase.name: phase for phase in recipe.phases}
    shares = {name: phase.share for name, phase in phases.items()} or {"run": 1.0}
    lengths = largest_remainder(shares, total)
    plans: list[PhasePlan] = []
    given: dict[str, int] = {}
    position = 0
    for name, length in lengths.items():
        own = phases[name].weights if name in phases else None
        weights = own or weights_of(recipe, recipes, sources, available)
        rows = plan(
            {each: available[each] for each in weights or own_sources(recipe, available)},
            weights=weights,
            alpha=recipe.alpha,
            weighting=recipe.weighting,
            max_epochs=recipe.max_epochs,
            total_sequences=length,
            given=given,
        )
        plans.append(PhasePlan(name, position, rows))
        for row in rows:
            given[row.source] = given.get(row.source, 0) + row.sequences
        position += sum(row.sequences for row in rows)
    return plans


def weights_of(
    recipe: Recipe,
    recipes: Mapping[str, Recipe],
    sources: Mapping[str, Source],
    available: Mapping[str, int],
) -> dict[str, float] | None:
    """Weights of sources; None where size alone decides."""
    weights = dict(recipe.weights) if recipe.weights else None
    if recipe.reference:
        weights = from_reference(recipe.reference, recipe.domains, available)
    if weights is None and not (recipe.bounds or recipe.replay):
        return None
    if weights is None:
        weights = _by_size(recipe, available, own_sources(recipe, available))
    if recipe.replay:
        base = recipes[recipe.replay.recipe]
        old = weights_of(base, recipes, sources, available) or _by_size(
            base, available, own_sources(base, available)
        )
        weights = with_replay(weights, old, replay_share(recipe))
    return within_bounds(weights, [_bound(each, sources, weights) for each in recipe.bounds])


def replay_share(recipe: Recipe) -> float:
    """Share of the run that is replayed."""
    assert recipe.replay is not None
    share = recipe.replay.share
    return SHARES[share] if isinstance(share, str) else share


def own_sources(recipe: Recipe, every: Iterable[str]) -> list[str]:
    """The sources that a recipe names itself, all of `every` if it names none, sorted."""
    mapped = [name for names in recipe.domains.values() for name in names]
    return sorted(set(recipe.weights or mapped or recipe.sources or every))


def sources_of(recipe: Recipe, recipes: Mapping[str, Recipe], every: Iterable[str]) -> list[str]:
    """The sources that take part in a recipe's run: its own, its phases', and the replayed."""
    names = {name for phase in recipe.phases for name in phase.weights or ()}
    if recipe.replay:
        names |= set(sources_of(recipes[recipe.replay.recipe], recipes, every))
    return sorted(names | set(own_sources(recipe, every)))


def _by_size(
    recipe: Recipe, available: Mapping[str, int], names: Sequence[str]
) -> dict[str, float]:
    sizes = {name: available[name] for name in names}
    rows = plan(
        sizes,
        weights=None,
        alpha=recipe.alpha,
        weighting=recipe.weighting,
        max_epochs=recipe.max_epochs,
        total_sequences=None,
    )
    return {row.source: row.weight for row in rows}


def _bound(bound: ShareBound, sources: Mapping[str, Source], weights: Mapping[str, float]) -> Bound:
    wanted = getattr(bound, bound.group)
    members = frozenset(name for name in weights if bound.holds(name, sources[name]))
    if not members:
        raise ValueError(
            f"no source of the recipe has {bound.group} '{wanted}'. Try: correct the bound, or "
            f"name the {'date' if bound.since or bound.before else bound.group} in the catalog"
        )
    return Bound(f"{bound.group} {wanted}", members, bound.min, bound.max)
