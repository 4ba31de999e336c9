SELECT verdicts.source, verdicts.stage, verdicts.reason, verdicts.doc_id, verdicts.value,
       verdicts.threshold, verdicts.detail, left(documents.text, 2000) AS text
FROM verdicts
JOIN (
    SELECT source, doc_id, text FROM raw_corpus
    UNION ALL
    SELECT source, doc_id, caption FROM raw_pairs
) AS documents USING (source, doc_id)
WHERE NOT verdicts.kept AND verdicts.position = 0
QUALIFY row_number() OVER (
    PARTITION BY verdicts.source, verdicts.stage, verdicts.reason
    ORDER BY md5(verdicts.doc_id), verdicts.doc_id
) <= 20
