"""Other systems that flows may ask while a caller waits."""
