"""Strategy map: which numbers should move which, from learning to business, and how they moved together so far."""

from app.measure.strategy import strategy_map
from app.ui import scorecard, session, strategy

frame = scorecard.named(session.frame(), session.look())
found = strategy_map(frame)

strategy.lead(found)
strategy.board(frame, found)
strategy.links(found)
