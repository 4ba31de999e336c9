SELECT verdicts.source, verdicts.stage, verdicts.reason,
       count(*) AS docs, sum(raw_corpus.n_bytes)::BIGINT AS bytes
FROM verdicts
JOIN raw_corpus USING (source, doc_id)
WHERE NOT verdicts.kept AND verdicts.position = 0
GROUP BY ALL
