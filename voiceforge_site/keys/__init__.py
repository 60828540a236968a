"""The pages on which people make the keys of their programs, and see what these did."""
