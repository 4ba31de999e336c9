-- Why dialogues left, by the first reason of each.
SELECT source, stage, reason, count(*) AS docs, avg(value) AS mean_value,
       any_value(threshold) AS threshold
FROM verdicts
WHERE NOT kept AND position = 0 AND stage IN ('deduped_instructions', 'selected_instructions')
GROUP BY source, stage, reason
ORDER BY source, stage, docs DESC, reason
