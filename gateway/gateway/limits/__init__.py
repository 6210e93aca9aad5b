"""How much a caller may ask: token buckets shared in Redis, leased in portions, local when Redis is gone."""
