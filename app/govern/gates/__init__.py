"""Stage gates: criteria judged on measured numbers, reviews, votes, decisions with a frozen basis, and what became of them."""
