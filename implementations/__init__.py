"""Real protocol modules: sans-IO cores, durable storage, and what replays traces on them."""
