"""Early warning: leading indicators, the rules that speak before a target is missed, and interventions with their effect."""

from app.measure.early import early_board
from app.ui import early, scorecard, session

room = session.look()
frame = scorecard.named(session.frame(), room)
board = early_board(frame)

early.lead(frame, board)
early.indicators(frame, board)
early.interventions(frame, room)
