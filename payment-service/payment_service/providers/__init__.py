"""Payment companies behind one interface."""
