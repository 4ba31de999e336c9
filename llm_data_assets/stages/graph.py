"""Every stage, in the order the text flows."""

from collections.abc import Mapping
from types import MappingProxyType

from llm_data_assets.stages import (
    budget_plan,
    contamination,
    data_gap,
    deduped_corpus,
    deduped_instructions,
    deduped_pairs,
    document_signatures,
    duplicates,
    evaluation_sets,
    filtered_corpus,
    filtered_pairs,
    instruction_duplicates,
    instruction_mix,
    mixed_corpus,
    mixture_plan,
    pair_duplicates,
    pair_signals,
    quality_signals,
    raw_corpus,
    raw_instructions,
    raw_pairs,
    removed_signals,
    repeated_spans,
    scaling_fit,
    scored_instructions,
    selected_instructions,
    signal_models,
    tokenized_corpus,
    tokenizer,
    tokenizer_report,
    training_export,
)
from llm_data_assets.stages.stage import Stage

STAGES: Mapping[str, Stage] = MappingProxyType(
    {
        module.STAGE.name: module.STAGE
        for module in (
            evaluation_sets,
            raw_corpus,
            document_signatures,
            duplicates,
            deduped_corpus,
            signal_models,
            quality_signals,
            removed_signals,
            repeated_spans,
            contamination,
            filtered_corpus,
            tokenizer,
            tokenized_corpus,
            tokenizer_report,
            mixture_plan,
            scaling_fit,
            budget_plan,
            data_gap,
            mixed_corpus,
            training_export,
            raw_instructions,
            instruction_duplicates,
            deduped_instructions,
            scored_instructions,
            selected_instructions,
            instruction_mix,
            raw_pairs,
            pair_duplicates,
            deduped_pairs,
            pair_signals,
            filtered_pairs,
        )
    }
)
