SELECT source, kept_source, method, count(*) AS docs, avg(similarity) AS mean_similarity
FROM duplicates
GROUP BY ALL
