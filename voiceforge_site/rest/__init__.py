"""People, keys and the description of the whole API over HTTP."""
