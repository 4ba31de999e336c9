-- What each source gives to each recipe.
SELECT recipe, source, available_tokens, weight, share, sequences, epochs, bound_by
FROM mixture_plan
