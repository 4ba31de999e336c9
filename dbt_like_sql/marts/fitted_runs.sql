-- The runs behind one's own scaling law, and how far it is off at each.
WITH law AS (
    SELECT max(value) FILTER (WHERE name = 'A') AS a, max(value) FILTER (WHERE name = 'B') AS b,
        max(value) FILTER (WHERE name = 'E') AS e,
        max(value) FILTER (WHERE name = 'alpha') AS alpha,
        max(value) FILTER (WHERE name = 'beta') AS beta
    FROM scaling_fit
    WHERE fit = 'parametric' AND kind = 'constant'
)
SELECT flops, params, tokens,
    (e + a / params ** alpha + b / tokens ** beta) / exp(value) AS loss,
    value AS log_residual
FROM scaling_fit, law
WHERE kind = 'residual'
