-- What stands in a recipe's run at least once, by source, licence and language.
WITH taken AS (
    SELECT DISTINCT recipe, source, sequence FROM mixed_corpus
),
reached AS (
    SELECT DISTINCT sequences.recipe, sequences.source, sequences.doc_id
    FROM sequences JOIN taken USING (recipe, source, sequence)
)
SELECT reached.recipe, reached.source,
       coalesce(filtered_corpus.license, 'NOASSERTION') AS license,
       coalesce(filtered_corpus.language, 'und') AS language,
       count(*) AS docs, sum(tokenized_corpus.n_bytes)::BIGINT AS bytes,
       sum(tokenized_corpus.n_tokens)::BIGINT AS tokens
FROM reached
JOIN tokenized_corpus USING (source, doc_id)
JOIN (SELECT source, doc_id, license, language FROM filtered_corpus) AS filtered_corpus
    USING (source, doc_id)
GROUP BY ALL
ORDER BY ALL
