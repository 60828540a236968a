"""A Hugging Face Space that runs our ML service: its folder, and its way to the hub."""
