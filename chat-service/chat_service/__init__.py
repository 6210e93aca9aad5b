"""chat-service: people talking to people, and the desk that answers them."""
