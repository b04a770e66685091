"""The database's history. Each step runs in its own transaction with a short lock time-out."""
