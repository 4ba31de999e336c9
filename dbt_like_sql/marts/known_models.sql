WITH published AS (
    SELECT name,
           any_value(value) FILTER (quantity = 'params') AS params,
           any_value(mark) FILTER (quantity = 'params') AS params_mark,
           any_value(value) FILTER (quantity = 'active_params') AS active_params,
           any_value(mark) FILTER (quantity = 'active_params') AS active_params_mark,
           any_value(value) FILTER (quantity = 'tokens') AS tokens,
           any_value(mark) FILTER (quantity = 'tokens') AS tokens_mark,
           any_value(value) FILTER (quantity = 'flops') AS flops,
           any_value(mark) FILTER (quantity = 'flops') AS flops_mark,
           any_value(value) FILTER (quantity = 'gpu_hours') AS gpu_hours,
           any_value(mark) FILTER (quantity = 'gpu_hours') AS gpu_hours_mark
    FROM known_numbers
    GROUP BY name
)
SELECT models.name, params, params_mark, active_params, active_params_mark, tokens, tokens_mark,
       tokens / params AS tokens_per_param, flops, flops_mark, gpu_hours, gpu_hours_mark,
       models.link, models.correction
FROM (VALUES
    ('Llama 2', 'https://arxiv.org/abs/2307.09288', ''),
    ('Llama 3 8B', 'https://arxiv.org/abs/2407.21783', '91 times the tokens of chinchilla_1, not 100'),
    ('Llama 3 70B', 'https://arxiv.org/abs/2407.21783', ''),
    ('Llama 3.1 405B', 'https://arxiv.org/abs/2407.21783', ''),
    ('MiMo-7B', 'https://arxiv.org/abs/2505.07608', ''),
    ('Yi-34B', 'https://arxiv.org/abs/2403.04652', 'its tokens are disclosed'),
    ('Falcon-40B', 'https://arxiv.org/abs/2311.16867', 'trained on RefinedWeb and curated text, not on RedPajama'),
    ('DeepSeek-V2', 'https://arxiv.org/abs/2405.04434', '42.5 % cheaper to train than DeepSeek-67B'),
    ('Yuan2.0-M32', 'https://arxiv.org/abs/2405.17976', '3.7B of 40B active, not 37B; compared with Llama 3 70B'),
    ('Chinchilla', 'https://arxiv.org/abs/2203.15556', ''),
    ('DCLM 412M', 'https://arxiv.org/abs/2406.11794', ''),
    ('DCLM 1.4B', 'https://arxiv.org/abs/2406.11794', ''),
    ('DCLM 2.8B', 'https://arxiv.org/abs/2406.11794', ''),
    ('DCLM 6.9B', 'https://arxiv.org/abs/2406.11794', ''),
    ('DCLM 6.9B, 2x', 'https://arxiv.org/abs/2406.11794', '')
) AS models(name, link, correction)
LEFT JOIN published USING (name)
ORDER BY params, models.name
