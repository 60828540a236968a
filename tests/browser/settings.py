"""The site's settings, with scripts and styles that a browser keeps: to ask for all of them anew is half of
the time that a page takes."""

from voiceforge_site.settings import *  # noqa: F403

WHITENOISE_AUTOREFRESH = False
WHITENOISE_MAX_AGE = 3600  # seconds
