"""What people do with their own account: sign in, change the password, add a second step, end sessions."""
