"""Real protocol modules: sans-IO cores, durable storage, and the adapters that replay traces."""
