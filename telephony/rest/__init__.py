"""Calls, their lines and their accounts over the REST API, under /api/telephony/."""
