"""Pictures, voice notes and documents people send: signed addresses, checked content, thumbnails."""
