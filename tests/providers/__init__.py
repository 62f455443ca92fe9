"""One contract suite over every calendar provider."""
