"""Named properties, each with its source, that hold of any spec with the methods they ask for."""
