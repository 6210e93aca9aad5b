"""The services behind the door: instances, breakers, and carrying requests to them."""
