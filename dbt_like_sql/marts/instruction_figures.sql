-- What became of the dialogues of each source, on one row: the page of `llm-data instructions`.
WITH stayed AS (
    SELECT source, max(docs) FILTER (stage = 'raw_instructions') AS read_in,
           max(docs) FILTER (stage = 'deduped_instructions') AS deduped,
           max(docs) FILTER (stage = 'selected_instructions') AS selected
    FROM instruction_funnel GROUP BY source
),
mixed AS (
    SELECT source, count(*) FILTER (split = 'train') AS train,
           count(*) FILTER (split = 'validation') AS validation
    FROM instruction_mix GROUP BY source
),
figures AS (
    SELECT source,
           max(value) FILTER (metric = 'taken' AND key = 'recall')::BIGINT AS recall,
           max(value) FILTER (metric = 'taken' AND key = 'reasoning')::BIGINT AS reasoning,
           max(value) FILTER (metric = 'taken' AND key = 'creative')::BIGINT AS creative,
           max(value) FILTER (metric = 'taken' AND key = 'tool_use')::BIGINT AS tool_use,
           sum(value) FILTER (metric = 'shortfall')::BIGINT AS shortfall,
           avg(value) FILTER (metric = 'cluster_coverage') AS cluster_coverage,
           max(value) FILTER (metric = 'spearman_with_length' AND key = 'quality')
               AS quality_with_length,
           max(value) FILTER (metric = 'pairs')::BIGINT AS pairs,
           max(value) FILTER (metric = 'pairs_with_margin')::BIGINT AS with_margin,
           max(value) FILTER (metric = 'margin_mean') AS margin_mean,
           max(value) FILTER (metric = 'tied_pairs')::BIGINT AS tied,
           max(value) FILTER (metric = 'chosen_is_longer') AS chosen_is_longer,
           max(value) FILTER (metric = 'length_ratio_median') AS length_ratio_median
    FROM selection_report GROUP BY source
)
SELECT source, read_in, deduped, selected, coalesce(train, 0) AS train,
       coalesce(validation, 0) AS validation, figures.* EXCLUDE (source)
FROM stayed LEFT JOIN mixed USING (source) LEFT JOIN figures USING (source)
ORDER BY source
