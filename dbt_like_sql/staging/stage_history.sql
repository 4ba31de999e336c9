SELECT stage, partition, source, recipe,
       row_number() OVER (PARTITION BY stage, partition ORDER BY ts DESC) - 1 AS back,
       ts, seconds, docs_in, docs, bytes, tokens, config_hash, settings, data_version, table_version
FROM stage_stats
