"""Budgets by scaling laws: pure functions, with the source of every constant."""
