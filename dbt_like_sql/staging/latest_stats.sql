SELECT * FROM stage_stats
QUALIFY row_number() OVER (PARTITION BY stage, partition ORDER BY ts DESC) = 1
