"""The public API's description: joined OpenAPI, reference page, partner quick start."""
