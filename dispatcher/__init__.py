"""The engine between a sensor in the rain and a village asleep beside the river."""

__version__ = "0.1.0"
