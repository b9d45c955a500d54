"""The board pack: one frozen snapshot of numbers and decisions, printed as PDF, PPTX or XLSX."""
