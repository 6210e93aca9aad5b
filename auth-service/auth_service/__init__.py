"""Who you are: accounts, codes, sessions, two-factor sign-in, OpenID Connect, partner keys, roles."""
