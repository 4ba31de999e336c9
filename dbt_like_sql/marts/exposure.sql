SELECT sequences.recipe, contamination.evaluation_set, contamination.question_id,
       contamination.source, contamination.doc_id,
       max(contamination.question_share) AS question_share,
       count(DISTINCT sequences.sequence) AS sequences,
       contamination.doc_id IN (
           SELECT doc_id FROM edits WHERE kind LIKE '%benchmark_question%'
       ) AS is_cut
FROM contamination
JOIN sequences USING (source, doc_id)
GROUP BY ALL
ORDER BY question_share DESC, recipe, question_id, doc_id
