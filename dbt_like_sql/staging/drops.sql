SELECT verdicts.source, verdicts.stage, verdicts.reason,
       count(*) AS docs, sum(documents.n_bytes)::BIGINT AS bytes
FROM verdicts
JOIN (
    SELECT source, doc_id, n_bytes FROM raw_corpus
    UNION ALL
    SELECT source, doc_id, n_bytes FROM raw_instructions
    UNION ALL
    SELECT source, doc_id, n_bytes FROM raw_pairs
) AS documents USING (source, doc_id)
WHERE NOT verdicts.kept AND verdicts.position = 0
GROUP BY ALL
