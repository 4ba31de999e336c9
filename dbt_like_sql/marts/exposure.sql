SELECT sequences.recipe, contamination.evaluation_set, contamination.question_id,
       contamination.source, contamination.doc_id,
       max(contamination.question_share) AS question_share,
       count(DISTINCT sequences.sequence) AS sequences
FROM contamination
JOIN sequences USING (source, doc_id)
GROUP BY ALL
ORDER BY question_share DESC, recipe, question_id, doc_id
