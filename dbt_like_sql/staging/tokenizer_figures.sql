SELECT scope, source, language, vocab_size, metric, token, piece, value
FROM tokenizer_report
