"""What the pages of every app share. It stands here since an app imports only what stands left of it."""
