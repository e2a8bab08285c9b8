"""Look back at a lesson: summary, report, tables."""
