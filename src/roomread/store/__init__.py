"""What is kept of a lesson, and the one gate for everything that leaves."""
