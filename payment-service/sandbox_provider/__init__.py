"""The sandbox payment company: a process and a database of its own, which Rihla only knows through its public API."""
