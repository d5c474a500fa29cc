"""What a public page adds: quotas, retention, owner's keys, crash notice, sharing, Space."""
