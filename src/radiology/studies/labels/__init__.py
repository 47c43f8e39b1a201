"""What is sensitive about one study, over REST."""
