-- What the budget of pipeline.yaml wants of each source, beside what there is.
SELECT recipe, source, wanted, there, there_low, there_high, basis, epochs, effective,
    next_epoch_value, shortfall
FROM data_gap
