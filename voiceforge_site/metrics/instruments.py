"""What the site itself counts."""

from __future__ import annotations

from mlservices.counting import counter, histogram

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")

requests = counter("voiceforge_http_requests", "Answered requests.", "route", "method", "status")
request_seconds = histogram(
    "voiceforge_http_request_seconds", "From a request's arrival to its answer's beginning.", "route"
)
webhook_attempts = counter(
    "voiceforge_webhook_attempts", "Messages sent to webhooks, by what came of it.", "outcome"
)
key_refusals = counter(
    "voiceforge_api_key_refusals", "Requests and sockets whose API key was not taken.", "reason"
)
