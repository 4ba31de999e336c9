SELECT source, stage, kind, count(*) AS spans, count(DISTINCT doc_id) AS docs
FROM edits
GROUP BY ALL
