WITH met AS (
    SELECT DISTINCT sequences.recipe, sequences.source, sequences.sequence, sequences.doc_id,
           exposure.evaluation_set, exposure.question_id
    FROM exposure
    JOIN sequences USING (recipe, source, doc_id)
)
SELECT met.recipe, training_export.file, met.evaluation_set,
       count(DISTINCT met.question_id) AS questions,
       count(DISTINCT met.doc_id) AS documents,
       count(DISTINCT position) AS positions
FROM met
JOIN mixed_corpus USING (recipe, source, sequence)
JOIN training_export
  ON training_export.recipe = met.recipe
 AND position >= training_export.first_position
 AND position < training_export.first_position + training_export.sequences
GROUP BY ALL
ORDER BY met.recipe, questions DESC, training_export.file, met.evaluation_set
