SELECT kept_doc_id AS cluster_id, doc_id, source, false AS is_kept, similarity AS jaccard, method
FROM duplicates
UNION ALL
SELECT DISTINCT kept_doc_id, kept_doc_id, kept_source, true, 1.0, NULL
FROM duplicates
