"""The page of models: what the catalogue says, how far the files are, and what the ML service holds."""
