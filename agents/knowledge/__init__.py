"""What agents can look up: documents, pages and answered questions, found by meaning."""
