"""Leader election on a ring: the process with the highest number leads."""
