"""The local inbox: a mail server that keeps everything it is given, and a page where a person reads it.

Only for the local stack: it has no sign-in and shows one-time codes.
"""
