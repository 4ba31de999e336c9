-- One row a measured document: signals to narrow by, and what became of it.
WITH lost AS (
    SELECT source, doc_id, reason
    FROM verdicts WHERE stage = 'filtered_corpus' AND NOT kept AND position = 0
)
SELECT quality_signals.source, quality_signals.doc_id, quality_signals.language,
       coalesce(lost.reason, 'stays') AS outcome,
       try_cast(left(documents.created_at, 4) AS SMALLINT) AS "year",
       rps_doc_word_count::INTEGER AS rps_doc_word_count,
       rps_doc_mean_word_length::FLOAT AS rps_doc_mean_word_length,
       rps_doc_stop_word_fraction::FLOAT AS rps_doc_stop_word_fraction,
       dup_line_char_frac::FLOAT AS dup_line_char_frac,
       alphanumeric_fraction::FLOAT AS alphanumeric_fraction,
       rps_doc_unigram_entropy::FLOAT AS rps_doc_unigram_entropy
FROM quality_signals
LEFT JOIN lost USING (source, doc_id)
LEFT JOIN (SELECT source, doc_id, created_at FROM raw_corpus) AS documents USING (source, doc_id)
