"""What every Questlog function shares: declaring routes, one database trip, who asks, errors."""
