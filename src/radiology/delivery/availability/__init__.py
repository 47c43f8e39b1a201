"""Instance Availability Notification as SCU (PS3.4 R): application entities with the service `ian` are told."""
