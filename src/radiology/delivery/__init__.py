"""What is approved or stored goes out: images to other archives, notices, films."""
