"""Flows from a description: a language model writes one, and what is wrong with it is sent back to it."""
