"""Tables that a stage writes beside its own, and where a partition of it lies in them."""

from collections.abc import Mapping
from types import MappingProxyType

from llm_data_assets.lake.instruction_tables import INSTRUCTION_FILES, SELECTION_REPORT
from llm_data_assets.lake.schemas import EDITS, REJECTS, SEQUENCES, VERDICTS, Table
from llm_data_assets.stages.stage import Partition, Stage

BESIDE: Mapping[str, tuple[Table, ...]] = MappingProxyType(
    {
        "raw_corpus": (REJECTS, EDITS),
        "deduped_corpus": (VERDICTS,),
        "filtered_corpus": (VERDICTS, EDITS),
        "mixture_plan": (SEQUENCES,),
        "raw_instructions": (REJECTS,),
        "deduped_instructions": (VERDICTS,),
        "selected_instructions": (VERDICTS, SELECTION_REPORT),
        "instruction_mix": (INSTRUCTION_FILES,),
        "raw_pairs": (REJECTS,),
        "deduped_pairs": (VERDICTS,),
        "filtered_pairs": (VERDICTS,),
    }
)


def tables_of(stage: Stage) -> tuple[Table, ...]:
    """Every table that a stage writes, its own first."""
    return (stage.table, *BESIDE.get(stage.name, ()))


def values_in(table: Table, stage: Stage, partition: Partition) -> dict[str, str]:
    """A stage's partition in one of its tables."""
    values = {**partition.values, "stage": stage.name}
    return {name: values[name] for name in table.partition_by if name in values}
