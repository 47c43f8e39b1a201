"""Who has arrived: tokens by number, for each room and day, with which people are called."""
