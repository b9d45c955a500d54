"""Baselines: files of past performance, checked in a child process, approved by a second person, never overwritten."""
