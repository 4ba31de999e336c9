SELECT source, stage, docs_in, docs, docs_in - docs AS dropped
FROM latest_stats
WHERE source IS NOT NULL
  AND stage IN ('raw_instructions', 'deduped_instructions', 'scored_instructions',
                'selected_instructions')
