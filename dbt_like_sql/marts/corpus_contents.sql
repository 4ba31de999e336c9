SELECT source, coalesce(license, 'NOASSERTION') AS license, coalesce(language, 'und') AS language,
       count(*) AS docs, sum(n_bytes)::BIGINT AS bytes
FROM filtered_corpus
GROUP BY ALL
