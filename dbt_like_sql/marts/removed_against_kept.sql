WITH kept AS (
    UNPIVOT (SELECT source, COLUMNS(* EXCLUDE (source, doc_id, language))::DOUBLE
             FROM quality_signals)
    ON COLUMNS(* EXCLUDE (source)) INTO NAME signal VALUE value
),
removed AS (
    UNPIVOT (SELECT source, COLUMNS(* EXCLUDE (source, doc_id, language))::DOUBLE
             FROM removed_signals)
    ON COLUMNS(* EXCLUDE (source)) INTO NAME signal VALUE value
),
kept_means AS (
    SELECT source, signal, count(*) AS kept_docs, avg(value) AS kept_mean,
           stddev_pop(value) AS kept_spread
    FROM kept GROUP BY ALL
),
removed_means AS (
    SELECT source, signal, count(*) AS removed_docs, avg(value) AS removed_mean
    FROM removed GROUP BY ALL
)
SELECT source, signal, kept_docs, removed_docs, kept_mean, removed_mean,
       (removed_mean - kept_mean) / nullif(kept_spread, 0) AS difference
FROM kept_means JOIN removed_means USING (source, signal)
