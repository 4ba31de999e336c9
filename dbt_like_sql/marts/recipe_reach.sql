-- The documents of each source that stand in a recipe's run at least once.
WITH taken AS (
    SELECT DISTINCT recipe, source, sequence FROM mixed_corpus
),
reached AS (
    SELECT DISTINCT sequences.recipe, sequences.source, sequences.doc_id
    FROM sequences JOIN taken USING (recipe, source, sequence)
)
SELECT reached.recipe, reached.source, count(*) AS docs,
       sum(tokenized_corpus.n_bytes)::BIGINT AS bytes,
       sum(tokenized_corpus.n_tokens)::BIGINT AS tokens
FROM reached JOIN tokenized_corpus USING (source, doc_id)
GROUP BY ALL
