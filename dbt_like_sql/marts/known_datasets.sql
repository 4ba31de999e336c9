WITH published AS (
    SELECT name,
           any_value(value) FILTER (quantity = 'bytes') AS bytes,
           any_value(mark) FILTER (quantity = 'bytes') AS bytes_mark,
           any_value(value) FILTER (quantity = 'tokens') AS tokens,
           any_value(mark) FILTER (quantity = 'tokens') AS tokens_mark,
           any_value(value) FILTER (quantity = 'records') AS records,
           any_value(unit) FILTER (quantity = 'records') AS record_unit,
           any_value(mark) FILTER (quantity = 'records') AS records_mark
    FROM known_numbers
    GROUP BY name
)
SELECT sets.name, sets.kind, sets.formats, bytes, bytes_mark, tokens, tokens_mark,
       records, record_unit, records_mark,
       sets.licence, sets.licence_mark, sets.link, sets.correction
FROM (VALUES
    ('The Pile', 'text', 'pile', 'mixed', 'verified', 'https://arxiv.org/abs/2101.00027', '825 is GiB, not GB; the host is offline and Books3 was taken down'),
    ('Common Crawl', 'text', 'warc, wet, wat, arc', 'Common Crawl terms of use', 'transcribed', 'https://commoncrawl.org', ''),
    ('C4', 'text', 'c4', 'ODC-By-1.0', 'transcribed', 'https://huggingface.co/datasets/allenai/c4', ''),
    ('mC4', 'text', 'c4', 'ODC-By-1.0', 'transcribed', 'https://huggingface.co/datasets/allenai/c4', ''),
    ('OSCAR', 'text', 'oscar', 'CC0-1.0 for its annotations; gated', 'unchecked', 'https://oscar-project.org', 'by Inria (ALMAnaCH), not by Hugging Face, and not the core of ROOTS'),
    ('ROOTS', 'text', 'roots', 'gated', 'unchecked', 'https://arxiv.org/abs/2303.03915', 'by BigScience; a set of its own beside OSCAR'),
    ('Wikipedia', 'text', 'wikipedia', 'CC-BY-SA-4.0', 'verified', 'https://dumps.wikimedia.org', ''),
    ('Project Gutenberg', 'text', 'gutenberg, epub', 'public domain in the United States', 'verified', 'https://www.gutenberg.org', ''),
    ('RedPajama-1T', 'text', 'redpajama', 'of each source', 'verified', 'https://huggingface.co/datasets/togethercomputer/RedPajama-Data-1T', ''),
    ('RedPajama-v2', 'text', 'jsonl', 'Common Crawl terms of use', 'verified', 'https://arxiv.org/abs/2411.12372', ''),
    ('Dolma', 'text', 'jsonl', 'ODC-By-1.0', 'verified', 'https://arxiv.org/abs/2402.00159', ''),
    ('RefinedWeb', 'text', 'parquet', 'ODC-By-1.0', 'unchecked', 'https://arxiv.org/abs/2306.01116', ''),
    ('FineWeb', 'text', 'parquet', 'ODC-By-1.0', 'transcribed', 'https://arxiv.org/abs/2406.17557', ''),
    ('FineWeb-Edu', 'text', 'parquet', 'ODC-By-1.0', 'transcribed', 'https://arxiv.org/abs/2406.17557', ''),
    ('DCLM', 'text', 'jsonl', 'CC-BY-4.0', 'unchecked', 'https://arxiv.org/abs/2406.11794', ''),
    ('MathPile', 'text', 'mathpile', 'CC-BY-NC-SA-4.0', 'unchecked', 'https://arxiv.org/abs/2312.17120', ''),
    ('The Stack v1', 'code', 'the_stack', 'of each file; gated by terms of use', 'verified', 'https://arxiv.org/abs/2211.15533', ''),
    ('The Stack v2', 'code', 'parquet', 'Software Heritage terms', 'verified', 'https://arxiv.org/abs/2402.19173', 'permissive or without a licence'),
    ('CodeParrot', 'code', 'codeparrot', 'mixed', 'verified', 'https://huggingface.co/datasets/codeparrot/codeparrot-clean', 'the "200B tokens" often quoted mix it with github-code'),
    ('github-code', 'code', 'github_code', 'mixed', 'verified', 'https://huggingface.co/datasets/codeparrot/github-code', ''),
    ('Public Git Archive', 'code', 'siva, pga_index', 'of each repository', 'unchecked', 'https://arxiv.org/abs/1803.10144', 'holds the repositories, not their metadata alone'),
    ('LAION-400M', 'image and text', 'laion', 'CC-BY-4.0 for its metadata', 'unchecked', 'https://arxiv.org/abs/2111.02114', ''),
    ('LAION-5B', 'image and text', 'laion', 'CC-BY-4.0 for its metadata', 'unchecked', 'https://arxiv.org/abs/2210.08402', 'withdrawn in December 2023; Re-LAION came in August 2024'),
    ('LAION-COCO', 'image and text', 'laion', '', 'unchecked', 'https://laion.ai', 'synthetic captions of LAION-2B-en, no extension of COCO'),
    ('COYO-700M', 'image and text', 'coyo', 'CC-BY-4.0 for its metadata', 'unchecked', 'https://github.com/kakaobrain/coyo-dataset', ''),
    ('CC3M', 'image and text', 'conceptual_captions', 'Google terms', 'unchecked', 'https://github.com/google-research-datasets/conceptual-captions', ''),
    ('CC12M', 'image and text', 'cc12m', 'Google terms', 'unchecked', 'https://arxiv.org/abs/2102.08981', ''),
    ('WebVid-10M', 'video and text', 'webvid', '', 'unchecked', 'https://arxiv.org/abs/2104.00650', 'withdrawn in February 2024'),
    ('LibriSpeech', 'audio and text', 'librispeech', 'CC-BY-4.0', 'unchecked', 'https://www.openslr.org/12', ''),
    ('Libri-Light', 'audio', 'librilight', 'public domain', 'unchecked', 'https://arxiv.org/abs/1912.07875', ''),
    ('OASST1', 'instruction', 'oasst', 'Apache-2.0', 'transcribed', 'https://arxiv.org/abs/2304.07327', 'messages of trees, not 160K conversations'),
    ('Dolly-15k', 'instruction', 'dolly', 'CC-BY-SA-3.0', 'unchecked', 'https://huggingface.co/datasets/databricks/databricks-dolly-15k', ''),
    ('Alpaca', 'instruction', 'alpaca', 'CC-BY-NC-4.0', 'unchecked', 'https://github.com/tatsu-lab/stanford_alpaca', 'not for commercial use'),
    ('ShareGPT', 'instruction', 'sharegpt', 'unclear', 'unchecked', 'https://huggingface.co/datasets/anon8231489123/ShareGPT_Vicuna_unfiltered', 'not known to be open'),
    ('UltraFeedback', 'preference', 'ultrafeedback', 'MIT', 'verified', 'https://arxiv.org/abs/2310.01377', 'rated by GPT-4'),
    ('School Math 0.25M', 'instruction', 'belle', 'GPL-3.0, non-commercial', 'unchecked', 'https://huggingface.co/datasets/BelleGroup/school_math_0.25M', 'of BELLE, in Chinese'),
    ('Papers With Code', 'index', '', '', 'unchecked', '', 'closed in July 2025; its links are dead')
) AS sets(name, kind, formats, licence, licence_mark, link, correction)
LEFT JOIN published USING (name)
ORDER BY sets.kind, sets.name
