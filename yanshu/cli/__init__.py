"""The `yanshu` command: serve, migrate, doctor, send, backup, simulate."""
