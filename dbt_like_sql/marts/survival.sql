-- One row a source, stage and outcome: what stays (reason is null) and every named loss before it.
WITH density AS (
    SELECT source, sum(tokens) / nullif(sum(bytes), 0) AS tokens_per_byte
    FROM funnel WHERE stage = 'tokenized_corpus' GROUP BY source
),
overall AS (
    SELECT sum(tokens) / nullif(sum(bytes), 0) AS tokens_per_byte
    FROM funnel WHERE stage = 'tokenized_corpus'
),
lost AS (
    SELECT if(stage = 'deduped_corpus', 2, 3) AS step, stage, source, reason, docs, bytes
    FROM drops WHERE stage IN ('deduped_corpus', 'filtered_corpus')
),
cut AS (
    SELECT 3 AS step, 'filtered_corpus' AS stage, source, 'cut out of texts' AS reason, 0 AS docs,
           deduped.bytes - filtered.bytes - coalesce(dropped.bytes, 0) AS bytes
    FROM (SELECT source, bytes FROM funnel WHERE stage = 'deduped_corpus') AS deduped
    JOIN (SELECT source, bytes FROM funnel WHERE stage = 'filtered_corpus') AS filtered
        USING (source)
    LEFT JOIN (SELECT source, sum(bytes) AS bytes FROM lost
               WHERE stage = 'filtered_corpus' GROUP BY source) AS dropped USING (source)
),
outcomes AS (
    SELECT step, stage, source, NULL::VARCHAR AS reason, docs, bytes, tokens FROM funnel
    UNION ALL
    SELECT step, stage, source, reason, docs, bytes, NULL FROM lost
    UNION ALL
    SELECT step, stage, source, reason, docs, bytes, NULL FROM cut WHERE bytes <> 0
)
SELECT step, stage, outcomes.source, reason, docs::BIGINT AS docs, bytes::BIGINT AS bytes,
       coalesce(tokens, round(bytes * coalesce(density.tokens_per_byte, overall.tokens_per_byte)))
           ::BIGINT AS tokens,
       tokens IS NULL AS tokens_estimated
FROM outcomes LEFT JOIN density USING (source) CROSS JOIN overall
