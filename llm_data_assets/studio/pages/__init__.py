"""One screen a file: `page(reader, query)` gives panels, the template of its name draws them."""
