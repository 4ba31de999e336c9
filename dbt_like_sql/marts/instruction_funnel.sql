-- Dialogues of each source after each stage of the instructions branch.
SELECT source, stage, docs_in, docs, docs_in - docs AS dropped
FROM {{ ref('latest_stats') }}
WHERE source IS NOT NULL
  AND stage IN ('raw_instructions', 'deduped_instructions', 'scored_instructions',
                'selected_instructions')
