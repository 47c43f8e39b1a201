"""Sending stored images to another application entity because somebody asked for it over REST."""
