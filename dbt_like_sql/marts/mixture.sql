SELECT recipe, phase, source, available_tokens, weight, share, sequences, epochs, next_epoch_value,
    bound_by
FROM mixture_plan
