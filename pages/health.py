"""Data health: what is loaded, how fresh it is, what was refused and why, what awaits a refresh."""

from app.measure.health import health
from app.runtime import utc_now
from app.ui import health as parts
from app.ui import session

found = health(session.runtime())

parts.lead(found, utc_now())
parts.rollups(found)
parts.warehouse(found)
parts.watermarks(found)
parts.loads(found)
