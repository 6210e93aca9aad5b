"""The badge while the app is open: unread counts over a WebSocket. Redis says that something changed, never what."""
