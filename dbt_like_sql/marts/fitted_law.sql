-- The constants of one's own scaling law, with their intervals.
SELECT fit, name, value, standard_error, low, high
FROM scaling_fit
WHERE kind = 'constant'
