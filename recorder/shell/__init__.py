"""What lets a shell mark what it runs: scripts for bash, zsh and fish, and the secret their marks carry."""
