-- Why documents left, the commonest reason first.
SELECT stage, reason, sum(docs)::BIGINT AS docs, sum(bytes)::BIGINT AS bytes,
       count(DISTINCT source) AS sources
FROM {{ ref('drops') }}
GROUP BY stage, reason
ORDER BY docs DESC, stage, reason
