"""An invented enterprise with eight initiatives, whose truth is known and written beside the data."""

from data.demo.enterprise import INITIATIVES
from data.demo.targets import demo_targets
from data.demo.truth import DemoTruth
from data.demo.write import write_demo

__all__ = ["INITIATIVES", "DemoTruth", "demo_targets", "write_demo"]
