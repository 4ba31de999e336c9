SELECT source, method, floor(similarity * 50) / 50 AS similarity, count(*) AS docs
FROM duplicates
GROUP BY ALL
