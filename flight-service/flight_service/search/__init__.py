"""Search over a timetable in memory."""
