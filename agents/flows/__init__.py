"""Flows as an administrator keeps them: drafts, versions, what they need of the rest."""
