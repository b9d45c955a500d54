"""What people decide: the one write path, who may, the registers, and the proof that nothing was altered."""
