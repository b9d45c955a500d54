"""What docs/deploy says, done: a Debian of its own with systemd, and an image. `make soak`, as root; minutes."""
