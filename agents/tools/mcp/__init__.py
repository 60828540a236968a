"""MCP servers as sources of tools: what they offer is read, chosen from, and called in flows."""
