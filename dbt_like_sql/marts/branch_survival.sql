-- What stays after each stage of the branches beside text, and every named loss before it.
WITH branches (branch, step, stage) AS (
    VALUES ('instructions', 1, 'raw_instructions'), ('instructions', 2, 'deduped_instructions'),
           ('instructions', 3, 'scored_instructions'), ('instructions', 4, 'selected_instructions'),
           ('media', 1, 'raw_pairs'), ('media', 2, 'deduped_pairs'), ('media', 3, 'filtered_pairs')
),
lost AS (
    SELECT stage, source, reason, count(*) AS docs
    FROM verdicts WHERE NOT kept AND position = 0 GROUP BY ALL
)
SELECT branch, step, stage, source, NULL::VARCHAR AS reason, docs
FROM branches JOIN latest_stats USING (stage) WHERE source IS NOT NULL
UNION ALL
SELECT branch, step, stage, source, reason, docs
FROM branches JOIN lost USING (stage)
ORDER BY ALL
