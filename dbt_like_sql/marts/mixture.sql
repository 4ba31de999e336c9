-- What each source gives to each phase of a recipe, and what a further pass over it is worth.
SELECT recipe, phase, source, available_tokens, weight, share, sequences, epochs, next_epoch_value,
    bound_by
FROM mixture_plan
