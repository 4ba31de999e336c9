"""Versions over time: what there was, going back to it, keeping it, making it again."""
