WITH latest AS (
    SELECT * FROM drift
    QUALIFY ts = max(ts) OVER (PARTITION BY source)
)
SELECT source, signal,
       max(value) FILTER (measure = 'psi') AS psi,
       max(value) FILTER (measure = 'js') AS js,
       greatest(0, max(value - chance) FILTER (measure = 'psi')) AS psi_beyond_chance,
       any_value(bound) AS bound,
       coalesce(psi_beyond_chance > any_value(bound), false) AS warns,
       coalesce(psi_beyond_chance > any_value(blocking_bound), false) AS blocks,
       any_value(baseline_version) AS baseline_version,
       any_value(version) AS version,
       max(ts) AS ts
FROM latest
WHERE signal <> 'url'
GROUP BY source, signal
ORDER BY psi_beyond_chance DESC, source, signal
