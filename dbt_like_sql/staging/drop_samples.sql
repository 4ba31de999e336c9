-- The documents are chosen before any text is read.
WITH chosen AS (
    SELECT source, stage, reason, doc_id, value, threshold, detail
    FROM verdicts
    WHERE NOT kept AND position = 0
    QUALIFY row_number() OVER (
        PARTITION BY source, stage, reason ORDER BY md5(doc_id), doc_id
    ) <= 20
),
texts AS (
    SELECT source, doc_id, left(text, 2000) AS text FROM raw_corpus
    UNION ALL
    SELECT source, doc_id,
           left(array_to_string(
               list_transform(turns, lambda t: t.role || ': ' || coalesce(t.content, '')), chr(10)
           ), 2000)
    FROM raw_instructions
    UNION ALL
    SELECT source, doc_id, left(caption, 2000) FROM raw_pairs
)
SELECT source, stage, reason, doc_id, value, threshold, detail, text
FROM chosen JOIN texts USING (source, doc_id)
