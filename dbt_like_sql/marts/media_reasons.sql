SELECT source, stage, reason, count(*) AS pairs, avg(value) AS mean_value,
       any_value(threshold) AS threshold, min(doc_id) AS example
FROM verdicts
WHERE NOT kept AND position = 0 AND stage IN ('deduped_pairs', 'filtered_pairs')
GROUP BY ALL
