"""Words: one catalogue for each language, one layout for mail and its plain-text twin."""
