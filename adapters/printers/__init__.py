"""What turns a report into paper."""
