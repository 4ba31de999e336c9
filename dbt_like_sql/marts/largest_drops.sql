SELECT stage, reason, sum(docs)::BIGINT AS docs, sum(bytes)::BIGINT AS bytes,
       count(DISTINCT source) AS sources
FROM drops
GROUP BY stage, reason
ORDER BY docs DESC, stage, reason
