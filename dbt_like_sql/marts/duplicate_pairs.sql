-- Which source's documents repeat which source's, and by which method.
SELECT source, kept_source, method, count(*) AS docs, avg(similarity) AS mean_similarity
FROM duplicates
GROUP BY ALL
