WITH stages AS (
    SELECT 1 AS step, 'raw_corpus' AS stage, source, count(*) AS docs,
           sum(n_bytes)::BIGINT AS bytes, NULL::BIGINT AS tokens
    FROM raw_corpus GROUP BY source
    UNION ALL
    SELECT 2, 'deduped_corpus', source, count(*), sum(n_bytes)::BIGINT, NULL
    FROM deduped_corpus GROUP BY source
    UNION ALL
    SELECT 3, 'filtered_corpus', source, count(*), sum(n_bytes)::BIGINT, NULL
    FROM filtered_corpus GROUP BY source
    UNION ALL
    SELECT 4, 'tokenized_corpus', source, count(*), sum(n_bytes)::BIGINT, sum(n_tokens)::BIGINT
    FROM tokenized_corpus GROUP BY source
)
SELECT step, stage, source, docs, bytes, tokens FROM stages
