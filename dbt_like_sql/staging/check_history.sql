WITH numbered AS (
    SELECT *, row_number() OVER (PARTITION BY asset, partition, "check" ORDER BY ts DESC) - 1
              AS back
    FROM checks
)
SELECT asset, "check", severity, back, count(*) AS partitions,
       count(*) FILTER (NOT passed) AS failed, max(observed) AS highest,
       any_value(expected) AS expected, max(ts) AS ts
FROM numbered
WHERE back < 10
GROUP BY ALL
