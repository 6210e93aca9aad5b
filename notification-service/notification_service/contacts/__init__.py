"""Who can be reached where: facts about users, kept from events."""
