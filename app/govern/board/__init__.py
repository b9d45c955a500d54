"""What the board saw: publications of the scorecard, frozen in the ledger, compared and restated."""
