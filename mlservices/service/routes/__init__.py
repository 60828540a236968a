"""The faces of the service, one file each: `add(app, service)`."""
