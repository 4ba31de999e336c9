"""The pages behind `llm-data studio` and the one file of `llm-data report`."""
