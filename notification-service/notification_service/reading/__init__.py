"""The notices of a person, in the app."""
