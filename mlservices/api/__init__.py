"""The public ML API: speech, voice activity and language models over HTTP and a socket, for who has a key.

Who asks is known by the site's door: `request.user`, and `request.api_key` (its id) where it was a program.
"""
