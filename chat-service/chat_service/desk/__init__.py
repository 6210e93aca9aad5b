"""Who works at the desk, which languages they speak, who gets the next case."""
