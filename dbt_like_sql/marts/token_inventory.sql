SELECT source, count(*) AS documents, sum(n_tokens)::BIGINT AS tokens,
       sum(n_bytes)::BIGINT AS bytes, sum(n_words)::BIGINT AS words,
       sum(n_bytes) / nullif(sum(n_tokens), 0) AS bytes_per_token,
       sum(n_unknown) / nullif(sum(n_tokens), 0) AS unknown_share
FROM tokenized_corpus
GROUP BY source
