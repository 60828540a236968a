"""Agents, flows, tools and knowledge over the REST API."""
