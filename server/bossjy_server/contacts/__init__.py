"""ContactService: imported contacts are read, listed, counted, exported, deleted and erased."""
