"""Studies: a specification and a file become arrays, an answer, a grade and, with values and costs, a return."""
