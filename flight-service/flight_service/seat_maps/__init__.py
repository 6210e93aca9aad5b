"""Who sits where: seat maps with live state, automatic seating, seat changes."""
