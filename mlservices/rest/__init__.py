"""What every resource of the REST API shares: its faults, its pages, its edits. Each app describes its own
resources in its package `rest` and carries them out by the verbs of its `actions`, as its pages do.

Who asks is known by the site's door, and so is what they may do: a resource asks neither.
"""

from . import words

words.replace()
