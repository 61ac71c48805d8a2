"""From a folder to chunks: walk, screen, cut, store, embed, index."""
