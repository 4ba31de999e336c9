"""The cards of a recipe: what stands in it, under which terms, and how it was made."""
