"""A lock service with leases, and a storage that checks fencing tokens."""
