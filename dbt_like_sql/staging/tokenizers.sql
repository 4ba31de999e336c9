SELECT format, vocab_size, trained_on_documents, trained_on_bytes, tokenizer
FROM tokenizer
