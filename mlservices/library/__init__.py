"""The page of voices: what there is, what can speak it here, what it sounds like."""
